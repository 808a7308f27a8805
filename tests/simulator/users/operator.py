"""A foreign controller, written on kopf: for each Greeting a ConfigMap of the same name, and the greeting in its status."""

from typing import Any

import kopf
from kubernetes import client, config

config.load_kube_config()


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    settings.posting.enabled = True
    settings.persistence.finalizer = "kopf.zalando.org/KopfFinalizerMarker"


@kopf.on.create("users.day2.dev", "v1", "greetings")
@kopf.on.update("users.day2.dev", "v1", "greetings")
def greet(name: str, namespace: str, spec: kopf.Spec, patch: kopf.Patch, **_: Any) -> None:
    text = f"Hello, {spec['name']}"
    child = {"metadata": {"name": name, "namespace": namespace}, "data": {"text": text}}
    kopf.adopt(child)
    core = client.CoreV1Api()
    try:
        core.patch_namespaced_config_map(name, namespace, {"data": child["data"]})
    except client.ApiException as absent:
        if absent.status != 404:
            raise
        core.create_namespaced_config_map(namespace, child)
    patch.status["told"] = text


@kopf.on.delete("users.day2.dev", "v1", "greetings")
def farewell(name: str, namespace: str, **_: Any) -> None:
    client.CoreV1Api().delete_namespaced_config_map(name, namespace)
