"""JSON schemas of the custom resources that the manifests use: the documented fields that we set, and no others."""

from typing import Any, Final

Schema = dict[str, Any]

TEXT: Final[Schema] = {"type": "string", "minLength": 1}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}


def _object(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
        "additionalProperties": False,
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "items": items}


def _resource(version: str, kind: str, spec: Schema) -> Schema:
    return _object(
        {"apiVersion": {"const": version}, "kind": {"const": kind}, "metadata": _object({"name": TEXT}), "spec": spec}
    )


_NAMED: Final = _object({"name": TEXT})
_QUANTITIES: Final = _object({"requests": {"type": "object"}, "limits": {"type": "object"}})

# https://keda.sh/docs/latest/reference/scaledobject-spec/ and .../scalers/rabbitmq-queue/; a trigger holds text alone.
SCALED_OBJECT: Final = _resource(
    "keda.sh/v1alpha1",
    "ScaledObject",
    _object(
        {
            "scaleTargetRef": _NAMED,
            "triggers": _list(
                _object(
                    {
                        "type": {"const": "rabbitmq"},
                        "metadata": _object(
                            {
                                "protocol": {"enum": ["amqp", "http", "auto"]},
                                "queueName": TEXT,
                                "mode": {"enum": ["QueueLength", "MessageRate"]},
                                "value": {"type": "string", "pattern": r"^\d+$"},
                            }
                        ),
                        "authenticationRef": _NAMED,
                    }
                )
            ),
        },
        {
            "minReplicaCount": COUNT,
            "maxReplicaCount": COUNT,
            "pollingInterval": COUNT,
            "cooldownPeriod": COUNT,
            "advanced": _object(
                {
                    "horizontalPodAutoscalerConfig": _object(
                        {"behavior": _object({"scaleDown": _object({"stabilizationWindowSeconds": COUNT})})}
                    )
                }
            ),
        },
    ),
)

# https://keda.sh/docs/latest/concepts/authentication/
TRIGGER_AUTHENTICATION: Final = _resource(
    "keda.sh/v1alpha1",
    "TriggerAuthentication",
    _object(
        {"secretTargetRef": _list(_object({"parameter": {"enum": ["host", "tls", "ca"]}, "name": TEXT, "key": TEXT}))}
    ),
)

# https://www.rabbitmq.com/kubernetes/operator/using-operator
RABBITMQ_CLUSTER: Final = _resource(
    "rabbitmq.com/v1beta1",
    "RabbitmqCluster",
    _object(
        {
            "replicas": {"type": "integer", "minimum": 1, "not": {"multipleOf": 2}},
            "image": TEXT,
            "service": _object({"type": {"enum": ["ClusterIP", "LoadBalancer", "NodePort"]}}),
            "persistence": _object({"storage": TEXT}),
            "resources": _QUANTITIES,
            "tls": _object({"secretName": TEXT, "disableNonTLSListeners": {"type": "boolean"}}),
            "affinity": {"type": "object"},
            "rabbitmq": _object({"additionalConfig": TEXT}),
            "override": _object({"statefulSet": _object({"spec": {"type": "object"}})}),
        }
    ),
)

SCHEMAS: Final[dict[str, Schema]] = {
    "ScaledObject": SCALED_OBJECT,
    "TriggerAuthentication": TRIGGER_AUTHENTICATION,
    "RabbitmqCluster": RABBITMQ_CLUSTER,
}
