"""A single thread for linear algebra, whatever the machine and the environment offer.

BLAS splits a sum among its threads, so the last digit of a rating would depend on how many
processors somebody has. Results that are compared to the last digit are computed inside
`one_blas_thread`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import numpy as np
import scipy.linalg  # noqa: F401 - loads SciPy's own BLAS, so that it is found below
from threadpoolctl import ThreadpoolController


class BlasPin:
    """Limits BLAS to one thread while it is held at least once in this process."""

    def __init__(self) -> None:
        self.controller = ThreadpoolController()
        self.lock = Lock()
        self.users = 0

    def hold(self) -> None:
        """Limit BLAS to one thread, if it is not yet."""
        with self.lock:  # the number of threads is the process's, so two callers share one pin
            if self.users == 0:
                self.limit = self.controller.limit(limits=1, user_api="blas")
            self.users += 1

    def release(self) -> None:
        """Restore the number of threads once nobody holds it any more."""
        with self.lock:
            self.users -= 1
            if self.users == 0:
                self.limit.restore_original_limits()


BLAS_PIN = BlasPin()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread in this process; a context manager and a decorator."""
    BLAS_PIN.hold()
    try:
        yield
    finally:
        BLAS_PIN.release()


def processor() -> str:
    """BLAS kernels and SIMD extensions of NumPy: what last digits still depend on.

    Two machines with the same text round in the same way.
    """
    kernels = sorted({str(library["architecture"]) for library in libraries()})
    vectors = np.show_config(mode="dicts")["SIMD Extensions"]
    return ", ".join([*kernels, *vectors.get("baseline", []), *vectors.get("found", [])])


def libraries() -> list[dict[str, object]]:
    """The BLAS libraries of this process that name their kernels."""
    return [library for library in BLAS_PIN.controller.info() if "architecture" in library]
