"""What each figure of the scoreboard must reach, and what peers and people reach on the same data."""

from typing import Final

from benchmarks.targets.audio import AUDIO
from benchmarks.targets.face import FACE
from benchmarks.targets.fusion import FUSION
from benchmarks.targets.text import TEXT

SCOREBOARD: Final = (*TEXT, *AUDIO, *FACE, *FUSION)
