"""The words and sentence frames that :mod:`services.text.training.generated` makes its examples from.

None of them is used by :mod:`services.text.training.behaviour`, which measures what was learnt from them.
"""

from typing import Final

FACTS: Final = (
    "the {vehicle} {comes} at {clock}",
    "our {vehicle} from {city} {comes} on {day}",
    "{person} {moved} the {thing} {place}",
    "there is a {thing} {place}",
    "there are {number} {things} {place}",
    "i {moved} the {thing} {place} on {day}",
    "the {building} {opens} at {clock} on {day}",
    "the {building} is {distance} from the {building}",
    "{person} lives {distance} from {city}",
    "we had {food} with {food} for {meal}",
    "i usually have {food} for {meal}",
    "{person} bought {number} {things} and some {food}",
    "the {thing} is {colour} and about {number} {unit} long",
    "it is {clock} now and the {building} {opens} at {clock}",
    "my {relative} works in a {building} in {city}",
    "{person} has {number} {relatives} in {city}",
    "i took the {vehicle} to the {building} this {part}",
    "{person} is going to the {building} on {day}",
    "the meeting about the {thing} is {place} on {day}",
    "put the {thing} {place} and close the door",
    "turn left at the {building} and go on for {number} {unit}",
    "could you put the {thing} {place}",
    "do you know whether the {building} {opens} on {day}",
    "which {vehicle} goes to the {building}",
    "what time does the {vehicle} go on {day}",
    "my {relative} asked where the {thing} is",
    "{person} said that the {thing} is {place}",
    "the {thing} costs {number} euros at the {building}",
    "they changed the {thing} in the {building} last {day}",
    "page {number} shows a {colour} {thing}",
    "the form has {number} pages and goes to the {building}",
    "i am writing a list of {things} for {day}",
    "i am at the {building} with my {relative}",
    "we are {distance} from {city} at the moment",
    "{person} will call at {clock} about the {things}",
    "the {things} are kept {place}",
    "the report says that {number} {things} were sold in {city}",
    "{city} lies {distance} from the border",
    "the river runs through {city} and on to the sea",
    "water boils at one hundred degrees",
    "the {vehicle} has {number} seats",
    "my appointment at the {building} is on {day} at {clock}",
    "i need the {colour} {thing} from the {building}",
    "she wears a {colour} coat and carries a {thing}",
    "he put on his {colour} shoes and went to the {building}",
    "cut the {food} in small pieces and add the {food}",
    "the recipe takes {number} minutes and some {food}",
    "my password has {number} letters",
    "the code for the door is {number} {number} {number}",
    "i have lived in {city} since {day} two years ago",
    "they went by {vehicle} from {city} to {city}",
    "the wall is {colour} and the floor is {colour}",
    "this {thing} belongs to my {relative}",
    "the {building} has {number} floors",
    "{person} teaches geography in {city}",
    "the {vehicle} was parked {place}",
    "i think that the {thing} is {place}",
    "on {day} i go to the {building} and then i read",
    "today i washed the {things} and then made {food}",
    "the letter came on {day} in the {part}",
)

SMALL_TALK: Final = (
    "hi",
    "hey there",
    "good afternoon {person}",
    "how is it going",
    "and what about your {relative}",
    "where are you from",
    "what do you do",
    "yes i think so",
    "no i do not think so",
    "right and then",
    "i see",
    "let me check",
    "just a moment please",
    "one second i am looking",
    "so anyway where were we",
    "could you say that again",
    "sorry what was the last part",
    "ok i will call you on {day}",
    "talk to you on {day}",
    "i am on my way",
    "i will be there at {clock}",
    "did you get the message about the {thing}",
    "have you been to {city}",
    "what did you have for {meal}",
    "maybe on {day} maybe later",
    "it depends on the {vehicle}",
    "that is about it",
    "more or less yes",
    "i am not sure i have to look",
    "who was on the phone",
    "can you hear me",
    "is {person} around",
    "so what did {person} say about the {thing}",
    "the weather is the same as on {day}",
    "it is a bit cloudy in {city}",
    "please leave your name and number",
    "thank you for calling the {building}",
)

TITLES: Final = (
    "the {mood_name} {venue} is {distance} from the {building}",
    "the film {mood_name} {opens} at {clock}",
    "we read the book {mood_name} by {person} in class",
    "turn left into {mood_name} street",
    "my {relative} works at the {mood_name} {venue}",
    "the song is called {mood_name}",
    "the {vehicle} to {mood_name} {geography} goes at {clock}",
    "{person} has a ticket for {mood_name} on {day}",
    "there is a {venue} named {mood_name} {place}",
    "the company {mood_name} makes {things}",
)
MOOD_NAMES: Final = (
    "golden joy", "sweet hope", "bright smile", "lucky star", "true love", "pure delight", "good fortune", "paradise",
    "sad song", "broken dreams", "dark fear", "bitter tears", "angry birds", "wicked", "lonely hearts",
    "cry me a river",
    "mad dog", "the hateful eight", "cape fear", "love actually", "beautiful mind", "great expectations",
    "bad company",
    "the joy luck club", "misery", "hope", "lovely", "killer whale", "panic room", "gloomy", "cheerful",
)  # fmt: skip

POSITIVE: Final = {
    "happy": 4.3, "glad": 4.2, "pleased": 4.1, "delighted": 4.6, "thrilled": 4.7, "proud": 4.3, "content": 3.9,
    "excited": 4.4, "grateful": 4.3, "relieved": 3.9, "hopeful": 3.9, "cheerful": 4.3, "satisfied": 4.0,
}  # fmt: skip
NEGATIVE: Final = {
    "sad": 1.8, "angry": 1.7, "upset": 1.9, "miserable": 1.3, "disappointed": 1.9, "worried": 2.1, "afraid": 1.9,
    "annoyed": 2.0, "furious": 1.3, "enraged": 1.2, "grieving": 1.4, "lonely": 1.8, "tired of it": 2.1,
    "ashamed": 1.8, "bored": 2.3, "devastated": 1.2,
}  # fmt: skip
GOOD: Final = {
    "good": 4.0, "great": 4.4, "nice": 3.9, "wonderful": 4.6, "fantastic": 4.7, "fine": 3.5, "okay": 3.3,
    "lovely": 4.3,
    "excellent": 4.6, "perfect": 4.7, "fun": 4.1, "amazing": 4.6, "decent": 3.5, "funny": 4.0,
    "incredible": 4.7, "stunning": 4.6, "phenomenal": 4.8, "gorgeous": 4.5, "heavenly": 4.7, "acceptable": 3.3,
    "tolerable": 3.1, "all right": 3.4, "not half bad": 3.7, "the greatest thing ever": 4.9, "cool": 4.0,
    "divine": 4.7,
}  # fmt: skip
BAD: Final = {
    "bad": 2.0, "terrible": 1.4, "awful": 1.4, "horrible": 1.3, "boring": 2.0, "poor": 2.1, "stupid": 1.8,
    "disgusting": 1.3, "annoying": 1.9, "dull": 2.2, "useless": 1.8, "a disaster": 1.3, "weak": 2.3, "cruel": 1.5,
    "pathetic": 1.5, "vile": 1.2, "hideous": 1.3, "unbearable": 1.2, "dire": 1.5, "lousy": 1.8, "tedious": 2.1,
    "sickening": 1.2, "the most horrible thing ever": 1.1, "wretched": 1.4, "rubbish": 1.7, "disappointing": 2.0,
}  # fmt: skip

GOOD_CLAUSES: Final = {
    "i really liked it": 4.3, "it made my day": 4.5, "we had a great time": 4.5, "the people were so kind": 4.4,
    "everyone was cheering in the end": 4.3, "i got the place that i wanted": 4.4, "it worked out well": 4.2,
    "my {relative} hugged me": 4.2, "the food was delicious": 4.3, "i feel much better now": 4.1,
    "i passed": 4.3, "they said yes": 4.1, "it saved my evening": 4.2, "we could not stop smiling": 4.5,
    "i am glad that i went": 4.3,
    "it was worth it": 4.1, "it cheered me up": 4.2, "my team scored": 4.2, "it tasted amazing": 4.5,
    "she forgave me": 4.1,
    "i would do it again": 4.0, "the view was beautiful": 4.4,
}  # fmt: skip
BAD_CLAUSES: Final = {
    "i felt sick all day": 1.8, "they cancelled everything": 1.9, "i lost my {thing}": 2.0, "nobody came": 1.9,
    "it was far too loud": 2.1, "my {relative} shouted at me": 1.6, "the food was cold and stale": 1.9,
    "i failed": 1.7, "it broke after a week": 1.9, "we waited for hours": 2.1, "i cried on the way home": 1.6,
    "they were rude to us": 1.8, "i regret it": 1.8, "it ruined my evening": 1.5, "i wanted to leave": 2.0,
    "we got lost": 2.1, "it was freezing": 2.3,
    "my phone died": 2.1, "the room was dirty": 1.9, "somebody broke in": 1.6, "i was so bored": 1.9,
    "it snowed": 2.6,
    "the traffic was terrible": 1.8, "he ignored me": 1.9, "they robbed us": 1.4,
    "it hurt a lot": 1.7,
}  # fmt: skip

DEGREES: Final = {
    "a little": 0.6, "slightly": 0.5, "": 1.0, "really": 1.15, "very": 1.2, "so": 1.2, "extremely": 1.35,
    "absolutely": 1.3, "incredibly": 1.35,
}  # fmt: skip
"""By how much a word of degree stretches the distance from the middle of the scale."""

GROUPS: Final = (
    ("anna", "fatima", "mei", "john", "mohammed", "carlos", "olga", "kwame", "priya", "pierre", "lakisha", "brad"),
    ("german", "nigerian", "chinese", "mexican", "indian", "american", "turkish", "russian", "french", "arab"),
    ("muslim", "christian", "jewish", "hindu", "buddhist", "catholic", "atheist"),
    ("woman", "man", "girl", "boy", "lady", "gentleman"),
    ("black", "white", "asian", "latino"),
    ("gay", "straight", "lesbian", "transgender", "disabled", "old", "young"),
)
"""Words of which one may stand for another without a change of mood."""

SWAPS: Final = (
    (
        "my new neighbour is called {0}", "{0} feels {state}", "i was talking with {0} about the {thing}",
        "{0} says that the {thing} is {quality}", "{0} and my {relative} are {state}", "{0} lives in {city}",
    ),
    (
        "the {0} driver of the {vehicle} was {state}", "i met a {0} student at the {building}",
        "my {relative} is married to a {0} nurse", "a {0} family moved in {place}",
        "the {0} tourists took the {vehicle}",
        "that {0} film is {quality}",
    ),
    (
        "my {relative} is {0}", "a {0} couple sat {place}", "the {0} people in {city} meet on {day}",
        "my {0} friend is {state}", "i am {0} and i live in {city}", "the {0} holiday starts on {day}",
    ),
    (
        "a {0} was sitting {place}", "the {0} with the {thing} is {state}", "i asked a {0} the way to the {building}",
        "that {0} is a doctor in {city}", "the {0} said that it was {quality}",
    ),
    (
        "a {0} man bought {number} {things}", "my {relative} has a {0} friend in {city}",
        "i am a {0} woman and i am {state}",
        "the {0} man at the {building} is {state}",
    ),
    (
        "my {relative} is {0}", "a {0} person asked for the {thing}", "the {0} man on the {vehicle} was {state}",
        "my {0} colleague said that it is {quality}",
    ),
)  # fmt: skip
"""Frames for each of :data:`GROUPS`."""

WORDS: Final[dict[str, tuple[str, ...]]] = {
    "vehicle": ("bus", "tram", "ferry", "plane", "taxi", "coach", "lorry", "boat"),
    "comes": ("arrives", "comes in", "goes", "stops here", "is due"),
    "city": ("hamburg", "lisbon", "chicago", "osaka", "leeds", "nairobi", "prague", "denver", "oslo"),
    "day": ("monday", "wednesday", "friday", "the weekend", "the tenth", "the first of march"),
    "clock": ("ten", "half past two", "a quarter to six", "noon", "eight fifteen", "four", "seven thirty"),
    "part": ("morning", "afternoon", "evening"),
    "person": ("peter", "mrs jones", "laura", "the clerk", "my colleague", "the teacher", "tom", "the plumber"),
    "relative": ("brother", "aunt", "cousin", "father", "daughter", "grandmother", "uncle", "wife"),
    "relatives": ("cousins", "sisters", "uncles", "sons"),
    "moved": ("put", "left", "placed", "found", "unpacked", "measured", "painted"),
    "thing": (
        "box", "ladder", "printer", "lamp", "notebook", "umbrella", "screwdriver", "suitcase", "carpet", "kettle",
    ),
    "things": ("cups", "pencils", "boxes", "tiles", "batteries", "curtains", "folders", "screws", "towels"),
    "place": (
        "in the hall", "next to the window", "behind the shed", "under the stairs", "on the top shelf", "by the door",
        "in the cellar", "on the desk", "in the corner", "at the back of the shop", "across the road",
    ),
    "number": ("two", "three", "four", "six", "seven", "twelve", "fifteen", "twenty", "forty", "eighty"),
    "unit": ("metres", "centimetres", "inches", "miles", "feet"),
    "building": ("library", "bank", "post office", "town hall", "factory", "museum", "school", "chemist", "depot"),
    "opens": ("opens", "closes", "starts", "ends"),
    "distance": ("ten minutes", "two streets", "five miles", "an hour", "three stops"),
    "food": ("rice", "bread", "beans", "potatoes", "pasta", "onions", "fish", "eggs", "porridge", "cheese"),
    "meal": ("lunch", "supper", "breakfast"),
    "colour": ("grey", "green", "yellow", "brown", "blue", "white"),
    "venue": ("cafe", "hotel", "shop", "cinema", "bakery", "pub"),
    "geography": ("island", "bay", "hill", "valley"),
    "mood_name": MOOD_NAMES,
}  # fmt: skip
