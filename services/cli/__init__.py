"""The ``mien`` command: what a person types and what a person sees. Only this and ``services.embedded`` know all services."""
