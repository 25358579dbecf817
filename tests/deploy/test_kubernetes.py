"""The manifests: valid by Kubernetes' own schemas, and the same site as compose.yaml's."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes_validate import ValidationError, latest_version, validate

from arena.people.accounts.providers import CLIENT_SECRETS
from arena.secret_files import SECRETS
from tests.services import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
MANIFESTS = [
    manifest
    for path in sorted(FOLDER.rglob("*.yaml"))
    for manifest in yaml.safe_load_all(path.read_text())
]
PODS: dict[str, dict[str, Any]] = {
    manifest["metadata"]["labels"]["process"]: manifest["spec"]["template"]["spec"]
    for manifest in MANIFESTS
    if "template" in manifest["spec"]
}
# What docs/scaling.md says is in each; what is in none of them is in `arena-web`.
OF_SECRETS = {
    "arena": {"DATABASE_URL", "REDIS_URL"},
    "arena-files": {"FILES_URL"},
    "arena-mail": {"EMAIL_URL"},
    "arena-exports": {"LEDGER_HEADS_URL"},
}
OURS = {name for name, service in COMPOSE.items() if service["image"].startswith("crowd-arena")}


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda one: one["kind"])
def test_it_is_valid(manifest: dict[str, Any]) -> None:
    validate(manifest, latest_version(), strict=True)


def test_the_schemas_find_a_slip() -> None:
    (service,) = (one for one in MANIFESTS if one["kind"] == "Service")
    with pytest.raises(ValidationError):
        validate(service | {"spec": {"ports": "8000"}}, latest_version(), strict=True)


def test_they_are_the_processes_of_compose() -> None:
    assert set(PODS) == OURS
    procfile = re.findall(r"^(\w+):", (ROOT / "Procfile").read_text(), re.MULTILINE)
    assert set(PODS) == {*procfile, "migrate"}


@pytest.mark.parametrize("process", sorted(OURS))
def test_a_process_is_told_the_same(process: str) -> None:
    pod, service = PODS[process], COMPOSE[process]
    (container,) = pod["containers"]
    assert container["args"] == service["command"]
    assert container["image"].split(":")[0] == service["image"].split(":")[0]
    grace = service.get("stop_grace_period", "30s")
    assert pod["terminationGracePeriodSeconds"] >= int(grace.removesuffix("s"))
    assert container["securityContext"]["readOnlyRootFilesystem"] is service["read_only"] is True
    assert container["securityContext"]["capabilities"]["drop"] == service["cap_drop"] == ["ALL"]
    assert not container["securityContext"]["allowPrivilegeEscalation"]
    assert "no-new-privileges:true" in service["security_opt"]
    told = set().union(*(list_keys(each) for each in container["envFrom"] if "secretRef" in each))
    told |= {each["name"] for each in container.get("env", [])}
    assert {"configMapRef": {"name": "arena"}} in container["envFrom"]
    guarded = {*SECRETS, *CLIENT_SECRETS, "SIGNS_NOTHING"}
    assert told == guarded & set(service["environment"])
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts == {*service["tmpfs"], service["volumes"][0].split(":")[1]}


@pytest.mark.parametrize("process", sorted(OURS - {"migrate"}))
def test_a_process_is_asked_how_it_is(process: str) -> None:
    (container,) = PODS[process]["containers"]
    liveness, check = container["livenessProbe"], COMPOSE[process]["healthcheck"]
    if process == "web":
        assert liveness["httpGet"] == {"path": "/livez", "port": "http"}
        assert container["ports"][0]["containerPort"] == 8000
    else:
        assert ["CMD", *liveness["exec"]["command"]] == check["test"]
    assert f"{liveness['timeoutSeconds']}s" == check["timeout"]
    assert f"{liveness['periodSeconds']}s" == check["interval"]


def list_keys(source: dict[str, Any]) -> set[str]:
    """The settings in a secret, by the name of the secret."""
    name = source["secretRef"]["name"]
    if name == "arena-web":
        return {*SECRETS, *CLIENT_SECRETS} - set().union(*OF_SECRETS.values())
    return OF_SECRETS[name]


def test_one_user_in_the_group_that_the_image_wants() -> None:
    (user,) = re.findall(r"^USER (\d+):(\d+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    for pod in PODS.values():
        told = pod["securityContext"]
        assert (str(told["runAsUser"]), str(told["runAsGroup"])) == user
        assert told["runAsNonRoot"]


def test_there_is_one_beat_and_it_ends_before_the_next_begins() -> None:
    (beat,) = (one for one in MANIFESTS if one["metadata"].get("name") == "beat")
    assert beat["spec"]["replicas"] == 1
    assert beat["spec"]["strategy"] == {"type": "Recreate"}


def test_no_secret_is_in_them() -> None:
    for path in FOLDER.rglob("*.yaml"):
        text = Path(path).read_text().replace('{ name: SIGNS_NOTHING, value: "1" }', "")
        assert not re.search(r"kind: Secret\b|\bvalue:", text)
