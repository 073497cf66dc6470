"""The ``mien`` command: what a person types and sees. Only this and ``services.embedded`` know all services."""
