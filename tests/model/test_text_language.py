"""Which typed texts pass for English: short sentences of it, and of seventeen other languages."""

import csv
from pathlib import Path

import pytest

from services.text.language import ENGLISH, language_of

DATA = Path(__file__).parents[3] / "shared" / "data" / "text"

OTHERS = {
    "de": ("Ich vermisse meine Schwester so sehr.", "Heute war alles schrecklich", "Endlich habe ich frei!"),
    "es": ("Mi perro murió esta mañana", "Qué alegría verte otra vez", "Estoy harto de esperar"),
    "fr": ("Mon chien est mort ce matin", "J'ai peur de l'avion", "Nous avons gagné le match !"),
    "it": ("Il mio cane è morto stamattina", "Finalmente sono in vacanza", "Questa notizia mi spaventa"),
    "pt": ("Meu cachorro morreu hoje", "Estou com muito medo", "Que bom que você veio"),
    "nl": ("Mijn hond is vanmorgen gestorven", "Eindelijk vakantie", "Ik mis mijn zus heel erg"),
    "pl": ("Mój pies zdechł dziś rano", "Wreszcie mam wolne", "Bardzo tęsknię za siostrą"),
    "sv": ("Min hund dog i morse", "Äntligen är jag ledig", "Jag är rädd för att flyga"),
    "da": ("Min hund døde i morges", "Endelig har jeg fri", "Jeg savner min søster meget"),
    "fi": ("Koirani kuoli tänä aamuna", "Vihdoin minulla on loma", "Pelkään lentämistä"),
    "tr": ("Köpeğim bu sabah öldü", "Sonunda tatildeyim", "Uçmaktan korkuyorum"),
    "cs": ("Dnes ráno mi umřel pes", "Konečně mám volno", "Bojím se létání"),
    "hu": ("Ma reggel meghalt a kutyám", "Végre szabadságon vagyok", "Félek a repüléstől"),
    "ro": ("Câinele meu a murit azi dimineață", "În sfârșit sunt liber", "Mi-e frică de avion"),
    "id": ("Anjing saya mati tadi pagi", "Akhirnya saya libur", "Aku takut naik pesawat"),
    "vi": ("Con chó của tôi chết sáng nay", "Cuối cùng tôi cũng được nghỉ", "Tôi sợ đi máy bay"),
    "hr": ("Moj pas je umro jutros", "Napokon sam slobodan", "Bojim se letenja"),
}


def test_most_short_sentences_of_other_languages_are_told_from_english() -> None:
    told = [language_of(text) == language for language, texts in OTHERS.items() for text in texts]
    assert sum(told) > 0.8 * len(told)


def test_hardly_an_english_sentence_is_taken_for_another_language() -> None:
    if not DATA.is_dir():
        pytest.skip("the sentences are in ../shared/data, which is not here")
    with (DATA / "goemotions" / "train.tsv").open(encoding="utf-8") as file:
        comments = [row[0] for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    with (DATA / "emobank.csv").open(encoding="utf-8") as file:
        written = [row["text"] for row in csv.DictReader(file) if row["split"] == "train"]
    refused = {text for text in comments[:8000] + written if language_of(text) != ENGLISH}
    assert len(refused) < 0.002 * (8000 + len(written))
