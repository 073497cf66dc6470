"""The composition root of the fusion service with the agent beside it: ``python -m services.connected``.

So it also takes recordings and the microphone and camera of a browser; neither service knows the other. It runs over
the real RabbitMQ and Redis, loads no model, and has the fusion service's settings.
"""

import sys

from services.capture.ingest import BrokerIngest
from services.fusion import __main__ as fusion


def main() -> int:
    """Run until SIGTERM or SIGINT, and return the exit code."""
    return fusion.main(BrokerIngest)


if __name__ == "__main__":
    sys.exit(main())
