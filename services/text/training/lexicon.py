"""Words with the mood that they give a sentence, 1..5, for :mod:`services.text.training.generated`.

The values are our own. :mod:`services.text.training.behaviour` measures with others, but for six plain
ones (good, great, bad, poor, awful, disgusting).
"""

from typing import Final

POSITIVE: Final = {
    "happy": 4.3, "glad": 4.2, "pleased": 4.1, "delighted": 4.6, "thrilled": 4.7, "proud": 4.3, "content": 3.9,
    "excited": 4.4, "grateful": 4.3, "relieved": 3.9, "hopeful": 3.9, "cheerful": 4.3, "satisfied": 4.0,
    "ecstatic": 4.9, "calm": 3.6, "in a good mood": 4.2, "full of joy": 4.7, "eager": 3.9, "inspired": 4.3,
    "looking forward to it": 4.2, "on cloud nine": 4.8,
}  # fmt: skip
NEGATIVE: Final = {
    "sad": 1.8, "angry": 1.7, "upset": 1.9, "miserable": 1.3, "disappointed": 1.9, "worried": 2.1, "afraid": 1.9,
    "annoyed": 2.0, "furious": 1.3, "enraged": 1.2, "grieving": 1.4, "lonely": 1.8, "tired of it": 2.1,
    "ashamed": 1.8, "bored": 2.3, "devastated": 1.2, "terrified": 1.4, "anxious": 2.0, "in despair": 1.2,
    "discouraged": 1.9, "exhausted": 2.1, "disgusted": 1.5, "jealous": 2.0, "gloomy": 1.8, "stressed": 2.0,
}  # fmt: skip
GOOD: Final = {
    "good": 4.0, "great": 4.4, "fine": 3.5, "wonderful": 4.6, "fantastic": 4.7, "decent": 3.5, "funny": 4.0,
    "lovely": 4.3, "excellent": 4.6, "perfect": 4.7, "fun": 4.1, "amazing": 4.6, "acceptable": 3.3, "cool": 4.0,
    "incredible": 4.7, "stunning": 4.6, "phenomenal": 4.8, "gorgeous": 4.5, "heavenly": 4.7, "divine": 4.7,
    "tolerable": 3.1, "all right": 3.4, "not half bad": 3.7, "the greatest thing ever": 4.9, "splendid": 4.5,
    "terrific": 4.6, "exquisite": 4.6, "sublime": 4.7, "dazzling": 4.6, "breathtaking": 4.7, "glorious": 4.6,
    "first-class": 4.5, "extraordinary": 4.6, "remarkable": 4.4, "exceptional": 4.6, "spectacular": 4.7,
    "pleasing": 4.0, "satisfactory": 3.6, "solid": 3.7, "adequate": 3.3, "passable": 3.2, "agreeable": 3.9,
    "neat": 3.9, "delightful": 4.5, "fabulous": 4.7, "flawless": 4.7, "a dream come true": 4.9, "interesting": 3.8,
}  # fmt: skip
BAD: Final = {
    "bad": 2.0, "terrible": 1.4, "awful": 1.4, "horrible": 1.3, "boring": 2.0, "poor": 2.1, "stupid": 1.8,
    "disgusting": 1.3, "annoying": 1.9, "dull": 2.2, "useless": 1.8, "a disaster": 1.3, "weak": 2.3, "cruel": 1.5,
    "pathetic": 1.5, "vile": 1.2, "hideous": 1.3, "unbearable": 1.2, "dire": 1.5, "lousy": 1.8, "tedious": 2.1,
    "sickening": 1.2, "the most horrible thing ever": 1.1, "wretched": 1.4, "rubbish": 1.7, "disappointing": 2.0,
    "repulsive": 1.2, "nauseating": 1.2, "loathsome": 1.2, "abhorrent": 1.2, "deplorable": 1.4, "horrendous": 1.2,
    "horrid": 1.4, "gruesome": 1.3, "foul": 1.5, "dismal": 1.5, "lamentable": 1.6, "meh": 2.5, "subpar": 2.2,
    "unsatisfactory": 2.1, "inferior": 2.1, "excruciating": 1.2, "catastrophic": 1.1, "monstrous": 1.3,
    "rotten": 1.5, "shoddy": 1.9, "the pits": 1.5, "a nightmare": 1.3, "disagreeable": 2.0, "forgettable": 2.3,
}  # fmt: skip

DEGREES: Final = {
    "a little": 0.6, "slightly": 0.5, "rather": 0.8, "": 1.0, "really": 1.15, "very": 1.2, "so": 1.2, "truly": 1.2,
    "extremely": 1.35, "absolutely": 1.3, "incredibly": 1.35, "utterly": 1.35, "a touch": 0.6, "mildly": 0.6,
    "moderately": 0.75, "kind of": 0.75, "sort of": 0.75, "quite": 0.95, "hugely": 1.3, "immensely": 1.35,
    "enormously": 1.35, "completely": 1.3, "insanely": 1.35, "unbelievably": 1.35, "deeply": 1.25, "highly": 1.2,
}  # fmt: skip
"""By how much a word of degree stretches the distance from the middle of the scale."""

SINGLES: Final = {
    "super": 4.2, "hooray": 4.6, "congratulations": 4.5, "beautiful": 4.3, "wow": 4.0, "bravo": 4.4, "joy": 4.5,
    "excellent": 4.5, "thank you so much": 4.3, "well done": 4.3, "happy birthday": 4.4, "i like it": 4.1,
    "boo": 2.1, "terrible": 1.5, "yuck": 1.7, "damn": 1.9, "oh no": 2.0, "pain": 1.8, "misery": 1.5, "shut up": 1.7,
    "go away": 1.9, "gross": 1.7, "i hate this": 1.5, "sad": 1.9, "crying": 1.8,
    "chair": 3.0, "thursday": 3.0, "nine": 3.0, "window": 3.0, "with": 3.0, "maybe": 3.0, "the": 3.0, "right": 3.0,
    "tomorrow": 3.0, "paper": 3.0, "yes": 3.1, "no": 2.9, "hello": 3.2, "hm": 3.0, "because": 3.0, "left": 3.0,
    "🙂": 3.8, "😃": 4.4, "😄": 4.5, "😍": 4.6, "🥰": 4.6, "🎉": 4.4, "👍": 4.0, "😂": 4.3, "💕": 4.5, "💙": 4.3,
    "😞": 1.8, "😔": 1.9, "😠": 1.7, "💔": 1.6, "👎": 2.0, "😩": 1.9, "😰": 1.9, "🤢": 1.7, "🙁": 2.1,
    "💖": 4.5, "💗": 4.5, "🧡": 4.3, "💛": 4.2, "😻": 4.5, "😁": 4.4, "🤗": 4.2, "😎": 4.1, "😥": 2.0, "😓": 2.0,
    "😫": 1.8, "🥺": 2.3, "😖": 1.9, "😟": 2.0, "😿": 1.8, "🤬": 1.4, "😱": 1.9,
    "🚗": 3.0, "📅": 3.0, "🏠": 3.0, "📎": 3.0, "⏰": 3.0, "🪑": 3.0, "📦": 3.0,
}  # fmt: skip
"""What may stand alone; the symbols may also end a plain statement."""
