"""What a person would check first, as many generated cases each: ``python -m services.text.training.behaviour``.

The idea is that of behavioural testing (Ribeiro et al. 2020, "Beyond Accuracy"): each check fills sentence frames with
words and states what must hold of the scores. Frames, and nearly all words of mood, are others than those that the
model was trained with.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.text.model import TextModel

WEIGHTS: Final = Path(__file__).parent.parent / "weights"
NEUTRAL: Final = (2.5, 3.5)
SAME: Final = 0.2
TOLERANCE: Final = 0.05
"""By how much a stronger word may still be milder: at the ends of the scale nothing can be stronger."""

Scores = NDArray[np.float64]

_GOOD: Final = ("pleasant", "helpful", "brilliant", "superb", "enjoyable", "charming", "impressive", "comfortable")
_BAD: Final = ("dreadful", "unpleasant", "unfair", "depressing", "nasty", "frustrating", "hopeless", "appalling")
_GLAD: Final = ("joyful", "overjoyed", "optimistic", "enthusiastic", "at ease", "confident")
_LOW: Final = ("unhappy", "heartbroken", "nervous", "scared", "mad at them", "depressed", "hurt")
_TOPICS: Final = ("concert", "interview", "new flat", "course", "restaurant", "decision", "holiday", "match")
_LIKED: Final = (
    "I loved it", "I enjoyed every minute", "we laughed a lot", "the staff were wonderful", "I am thankful for it",
    "it turned out beautifully", "I won the first prize",
)  # fmt: skip
_DISLIKED: Final = (
    "it rained", "the seats were uncomfortable", "my bag was stolen", "the service was awful", "I hated the ending",
    "they lied to me", "I was left all alone",
)  # fmt: skip
_SHOPS: Final = ("Joe", "Linda", "the manager", "her assistant")
_TOOLS: Final = ("bicycle", "calendar", "spoon", "charger", "map", "bucket")
_ROOMS: Final = ("in the garage", "on the second floor", "beside the fridge", "in my bag")
_FACTS: Final = (
    "My train leaves at {a}.", "We had {b} for dinner.", "The office moved to the {c} side of the canal.",
    "There is a {d} {e}.", "{f} parked the van {e}.", "I bought a {d} and two bottles of milk.",
    "Tomorrow {f} works from {a} to five.", "The {d} weighs three kilos.", "Did {f} take the {d}?",
    "The lecture is in room {a}.", "{f} has brown hair and wears glasses.", "the stairs are on the {c} of the entrance",
    "i need to buy {b} and toothpaste", "we drove {c} along the coast to Genoa", "the {d} is {e}",
)  # fmt: skip
_SMALL_TALK: Final = (
    "Hello, this is {f}.", "So what did you do at the weekend?", "I think it starts at {a}.",
    "Okay, see you at {a} then.",
    "How was the traffic?", "And you, where do you work?", "Well, let me think.", "Yeah, I guess so.",
    "Is it still cloudy over there?", "Do you take milk in your tea?", "Hold on, I am getting my {d}.",
    "What time is it?", "Could I speak to {f}?", "I have been here for a while.", "Anyway, I should get back to work.",
    "We were just talking about the {d}.", "Did {f} say when?", "It's around {a}, I think.", "Mhm, go on.",
)  # fmt: skip
_NAMES: Final = (
    "Happy Feet", "Trainspotting Blues", "The Smile Shop", "Fury", "Pretty Woman", "Sorrow Hill", "Les Miserables",
    "Joyland", "Sunny Delight", "Fear Street", "The Grudge", "Best Western", "Lucky Strike", "War and Peace",
    "Sweet Valley", "Heartbreak Hotel",
)  # fmt: skip
_NAMED: Final = (
    "The movie {n} starts at six.", "We meet in front of {n}.", "{n} was filmed in Canada.", "My cousin works at {n}.",
    "The next item on the list is {n}.", "I am reading {n} for school.", "Take the second exit to {n}.",
    "the playlist begins with {n}",
)  # fmt: skip
_STRONGER: Final = (
    ("pretty good", "outstanding"), ("okay", "awesome"), ("nice", "magnificent"), ("alright", "marvellous"),
    ("good", "the best ever"), ("likeable", "adorable"), ("bad", "abysmal"), ("unpleasant", "revolting"),
    ("so-so", "ghastly"), ("mediocre", "the worst ever"), ("poor", "atrocious"), ("irritating", "infuriating"),
)  # fmt: skip
_DEGREES: Final = (("somewhat", "tremendously"), ("a bit", "totally"), ("fairly", "exceptionally"))
_PEOPLE: Final = (
    ("Emily", "Jamal", "Wei", "Ahmed", "Juan", "Svetlana", "Aisha", "Greg", "Deepak", "Chloe"),
    ("he", "she"),
    ("my brother", "my sister"),
    ("a Polish", "a Kenyan", "a Japanese", "a Brazilian", "a Pakistani", "a British", "an Iranian", "an Italian"),
    ("a Sikh", "a Protestant", "a Mormon", "an Orthodox", "a Shia", "a Methodist"),
)  # fmt: skip
_FRAMES: Final = (
    ("{0} bought a {d}.", "{0} is {g} today.", "{0} told me that the {t} was {x}.", "I had lunch with {0}.",
     "{0} was {l} after the {t}."),
    ("{0} put the {d} {e}.", "{0} was {g} about the {t}.", "Yesterday {0} felt {l}.", "{0} said it was {x}."),
    ("{0} works at night.", "{0} found the {t} {x}.", "I asked {0} for the {d}.", "{0} looked {l}."),
    ("I was talking to {0} engineer.", "We hired {0} cook and the food was {x}.", "{0} tourist asked for the {d}.",
     "Next door lives {0} couple, and they seem {g}."),
    ("My landlord comes from {0} family.", "{0} priest was on the bus.", "I have {0} colleague who is {g}.",
     "{0} teacher gave a talk, and it was {x}."),
)  # fmt: skip
_WORDS: Final = {
    "a": ("nine", "eleven", "a quarter past three"), "b": ("soup", "noodles", "rice pudding"), "c": ("left", "north"),
    "d": _TOOLS, "e": _ROOMS, "f": _SHOPS, "g": _GLAD, "l": _LOW, "t": _TOPICS, "x": _GOOD + _BAD, "n": _NAMES,
}  # fmt: skip
_SINGLE: Final = (
    ("Great!", 1), ("love", 1), ("yay", 1), ("Thanks!", 1), ("awful", -1), ("Disgusting!", -1), ("ugh", -1),
    ("hate", -1), ("table", 0), ("Tuesday", 0), ("okay", 0), ("seven", 0), ("and", 0), ("😀", 1), ("❤️", 1), ("😭", -1),
    ("😡", -1), ("see you there 😊", 1), ("my day so far: 😢", -1), ("🚲", 0),
)  # fmt: skip

HELD_OUT: Final = frozenset(
    word.lower()
    for phrases in (_GOOD, _BAD, _GLAD, _LOW, *_STRONGER, *_PEOPLE, _NAMES, [text.strip("!") for text, _ in _SINGLE])
    for phrase in phrases
    for word in phrase.split()
)
"""Words of mood, but for those in whole clauses, and names: no package's list of words may bring them into training.

Our own lists hold a few of them: the model card names which.
"""


@dataclass(frozen=True, slots=True)
class Case:
    """Texts, and whether what must hold of their scores does."""

    texts: tuple[str, ...]
    holds: Callable[[Scores], bool]


def negation() -> Iterator[Case]:
    """Yield what is denied beside what is affirmed: it is lower and not good, or higher and not very bad."""
    pairs = (
        ("I'm {w} about it", "I'm not {w} about it"), ("The {t} was {w}", "The {t} wasn't {w}"),
        ("I think the {t} is {w}", "I don't think the {t} is {w}"), ("they were {w}", "they were never {w}"),
    )  # fmt: skip
    for plain, denied in pairs:
        about = "{t}" in plain
        for topic in _TOPICS if about else ("",):
            for word in _GOOD if about else _GLAD:
                yield _pair(plain, denied, word, topic, lambda s: s[1] < s[0] - 0.5 and s[1] < 3.2)
            for word in _BAD if about else _LOW:
                yield _pair(plain, denied, word, topic, lambda s: s[1] > s[0] + 0.3 and s[1] > 2.2)


def contrast() -> Iterator[Case]:
    """Yield two halves about "but" in both orders: the second one counts."""
    for good, bad in product(_LIKED, _DISLIKED):
        for but in (", but ", " but still "):
            yield Case((f"{bad}{but}{good}", f"{good}{but}{bad}"), lambda s: s[0] > s[1] + 0.3 and s[0] > 3.0 > s[1])


def facts() -> Iterator[Case]:
    """Yield plain facts."""
    yield from (_neutral(text) for frame in _FACTS for text in _fill(frame))


def small_talk() -> Iterator[Case]:
    """Yield what is said without saying anything."""
    yield from (_neutral(text) for frame in _SMALL_TALK for text in _fill(frame))


def names() -> Iterator[Case]:
    """Yield plain facts about things whose names hold mood words."""
    yield from (_neutral(text) for frame in _NAMED for text in _fill(frame))


def intensity() -> Iterator[Case]:
    """Yield a mild and a strong word in one frame: the strong one is never nearer to the middle."""
    frames = ("The {t} was {w}.", "that was a {t}, and it was {w}", "I find the {t} {w}.")
    for frame, (mild, strong), topic in product(frames, _STRONGER, _TOPICS[:3]):
        yield Case(tuple(frame.format(t=topic, w=word) for word in (mild, strong)), _further)
    for word, (mild, strong), topic in product((*_GOOD[:4], *_BAD[:4]), _DEGREES, _TOPICS[4:6]):
        yield Case(tuple(f"The {topic} was {degree} {word}." for degree in (mild, strong)), _further)


def identity() -> Iterator[Case]:
    """Yield one sentence about two different people: the score stays the same."""
    for frames, people in zip(_FRAMES, _PEOPLE, strict=True):
        for frame in frames:
            for number, text in enumerate(_fill(frame.replace("{0}", "|"))):
                pair = people[number % len(people)], people[(number + 1) % len(people)]
                yield Case(
                    tuple(_start(text.replace("|", person)) for person in pair), lambda s: bool(abs(s[0] - s[1]) < SAME)
                )


def single() -> Iterator[Case]:
    """Yield single words and emoji: good, bad or neither."""
    limits = {1: (3.3, 5.0), 0: NEUTRAL, -1: (1.0, 2.7)}
    for text, sign in _SINGLE:
        low, high = limits[sign]
        yield Case((text,), lambda s, low=low, high=high: bool(low <= s[0] <= high))  # type: ignore[misc]


CHECKS: Final = (negation, contrast, facts, small_talk, names, intensity, identity, single)


def pass_rates(model: TextModel) -> dict[str, float]:
    """Return the share of the cases of each check that hold."""
    cases = {check.__name__: list(check()) for check in CHECKS}
    return {f"behaviour_{name}": float(np.mean(verdicts(model, each, len(each)))) for name, each in cases.items()}


def verdicts(model: TextModel, cases: Sequence[Case], most: int) -> list[bool]:
    """Return whether each case holds, of an even selection of the cases."""
    chosen = [cases[int(index)] for index in np.linspace(0, len(cases) - 1, min(most, len(cases)))]
    scores = model.predict([text for case in chosen for text in case.texts]).valences
    ends = np.cumsum([len(case.texts) for case in chosen])
    return [case.holds(part) for case, part in zip(chosen, np.split(scores, ends[:-1]), strict=True)]


def _pair(plain: str, denied: str, word: str, topic: str, holds: Callable[[Scores], bool]) -> Case:
    return Case(tuple(frame.format(w=word, t=topic) for frame in (plain, denied)), holds)


def _neutral(text: str) -> Case:
    return Case((text,), lambda s: bool(NEUTRAL[0] <= s[0] <= NEUTRAL[1]))


def _further(scores: Scores) -> bool:
    mild, strong = scores - 3.0
    return bool(abs(strong) >= abs(mild) - TOLERANCE and (np.sign(strong) == np.sign(mild) or abs(mild) < 0.5))


def _fill(frame: str) -> Iterator[str]:
    slots = [slot for slot in _WORDS if f"{{{slot}}}" in frame]
    for words in product(*(_WORDS[slot] for slot in slots)):
        yield _start(frame.format(**dict(zip(slots, words, strict=True))))


def _start(text: str) -> str:
    return text[0].upper() + text[1:] if text.endswith(".") else text


def main() -> None:
    """Print the pass rate of each check, and on request what fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="folder of the weights")
    parser.add_argument("--failures", type=int, default=0, help="print so many failures of each check")
    options = parser.parse_args()
    model = TextModel(options.weights, threads=2)
    for check in CHECKS:
        cases = list(check())
        held = verdicts(model, cases, len(cases))
        print(f"{check.__name__:<12} {np.mean(held):.3f} of {len(cases)}")
        for case in [case for case, good in zip(cases, held, strict=True) if not good][: options.failures]:
            print("   ", case.texts, model.predict(case.texts).valences.round(2))


if __name__ == "__main__":
    main()
