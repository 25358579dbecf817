# One image for a whole site in one container, every line of the Procfile and every manage.py command.
# BASE is any Linux with Python 3.11 called python3; name one by digest to rebuild the same image.
ARG BASE=python:3.11-slim-bookworm

# --- build: packages from hashed locks, wheels only, so that no compiler is ever needed ----------
FROM ${BASE} AS build
WORKDIR /app
COPY requirements/s3.txt /build/
RUN python3 -m venv --without-pip /opt/venv \
 && PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
      python3 -m pip --python /opt/venv/bin/python3 install --quiet --no-compile \
      --require-hashes --no-deps --only-binary :all: --requirement /build/s3.txt

# Serving needs no tests, no sources of extensions and translations, and of fontTools, which only
# seat sheets use, no compiled modules: the same in Python is beside each of them. Of all services of
# that cloud, S3 alone is spoken to, with the keys of a machine's role where there are no others.
RUN find /opt/venv -depth -type d \( -name tests -o -name man \) -exec rm -rf {} + \
 && find /opt/venv -type f \( -name '*.c' -o -name '*.h' -o -name '*.a' -o -name '*.pxd' \
      -o -name '*.pyi' -o -name '*.pyx' -o -name '*.po' -o -path '*/fontTools/*.so' \) -delete \
 && find /opt/venv -path '*/botocore/data/*' -prune -type d \
      ! -name s3 ! -name sts ! -name sso ! -name sso-oidc -exec rm -rf {} +

# The key is known to nobody and ends with its line. Static files are served from /opt/static.
COPY . /app/
RUN export PATH="/opt/venv/bin:$PATH" PYTHONPATH=/app PYTHONPYCACHEPREFIX=/opt/bytecode \
      PYTHONDONTWRITEBYTECODE=1 ARENA_VAR=/tmp/var STATIC_ROOT=/opt/static \
      SECRET_KEY="$(od -An -tx1 -N40 /dev/urandom | tr -d ' \n')" \
 && python3 manage.py collectstatic --no-input --verbosity 0 \
 && find /opt/venv -depth -path '*/django*/static' -exec rm -rf {} + \
 && python3 deploy/bytecode.py

# --- run -----------------------------------------------------------------------------------------
FROM ${BASE}
# Any other user may run it, as long as its group is 0 (as where users are drawn at random).
RUN useradd --uid 10001 --gid 0 --no-create-home --home-dir /var/lib/arena \
      --shell /usr/sbin/nologin arena \
 && install --directory --owner arena --group root --mode 0770 /var/lib/arena
# Nothing is installed in a running container, and nobody there becomes somebody else.
RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
 && find / -xdev -depth -path '*/python3*' \( -name pip -o -name 'pip-*' -o -name ensurepip \) \
      -exec rm -rf {} + \
 && rm -rf /usr/bin/apt* /usr/lib/apt /usr/bin/pip* /usr/local/bin/pip*
COPY --from=build /opt /opt
COPY --from=build /app /app

WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPYCACHEPREFIX=/opt/bytecode \
    PYTHONUNBUFFERED=1 \
    OPENBLAS_NUM_THREADS=1 \
    ARENA_VAR=/var/lib/arena \
    STATIC_ROOT=/opt/static \
    HOST=0.0.0.0 \
    PORT=8000
USER 10001:0
VOLUME /var/lib/arena
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=15s --start-period=60s --retries=3 \
  CMD ["python3", "deploy/health.py"]
ENTRYPOINT ["deploy/entry.sh"]
CMD ["site"]
