# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=2.1"]
# ///
"""Write spam.csv, an invented table of short messages, some of which nobody wants.

Run it as ``python sample_data/make_spam.py [DIRECTORY]``; without a directory the file beside the script is written
again, byte for byte: nothing but uniform numbers is drawn.
"""

import csv
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
MESSAGES, SEED = 800, 20240607
FIRST = date(2023, 1, 2)

#: Shares: spam among messages, spam that is worded like any message, honest messages that are worded like spam.
SPAM, DISGUISED, UNLUCKY = 0.35, 0.06, 0.04

CHANNELS, RATINGS = ("mail", "phone", "chat"), ("unknown", "known", "friend")

#: Chance of each rating of the sender, for honest messages and for spam.
RATED = {"ham": (0.2, 0.4, 0.4), "spam": (0.7, 0.25, 0.05)}

OPENINGS = {
    "ham": ["Hi Ana,", "Hello,", "Good morning,", "Hey,", "Dear all,", "", "Quick question:"],
    "spam": ["Dear winner!", "CONGRATULATIONS,", "Hello,", "Attention:", "Dear customer,", "", "Last chance!"],
}
BODIES = {
    "ham": [
        "the meeting has moved to {day} at noon",
        "could you send me the report before {day}",
        "lunch on {day}? the usual place",
        "I left the keys with Tom, he is back on {day}",
        "thanks for your notes, I have added them to the draft",
        "the train is late, I will be there soon",
        "please find the invoice for the {thing} attached",
        "did the {thing} arrive in one piece?",
        "the offer for the {thing} is still open until {day}",
        "we are out of coffee and the {thing} is broken again",
    ],
    "spam": [
        "you have won a free {thing}, claim it before {day}",
        "earn cash from home, no experience needed",
        "your account is blocked, verify your password now",
        "cheap {thing}, limited offer, order until {day}",
        "free entry to win cash every week",
        "lowest prices on every {thing}, click here",
        "urgent: your parcel with the {thing} could not be delivered, pay the fee",
        "claim your prize now, the offer ends on {day}",
    ],
}
ENDINGS = {
    "ham": ["See you!", "Best, Jo", "Thanks", "", "", "Talk soon"],
    "spam": ["Click here!!!", "Act now", "100% free", "", "Reply YES to win", "Call 0800 555 0199"],
}
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
THINGS = ("phone", "printer", "holiday", "watch", "laptop", "bicycle", "camera")

HEADER = ["received", "channel", "sender", "length", "message", "label"]


def pick(rng: np.random.Generator, words: Sequence[str]) -> str:
    """Draw one of some words."""
    return words[int(len(words) * rng.random())]


def rating(rng: np.random.Generator, label: str) -> str:
    """How well the sender is known."""
    drawn, below = rng.random(), 0.0
    for name, share in zip(RATINGS, RATED[label], strict=True):
        below += share
        if drawn < below:
            return name
    return RATINGS[-1]


def message(rng: np.random.Generator, kind: str) -> str:
    """Draw a message that is worded like spam or like ham."""
    body = pick(rng, BODIES[kind]).format(day=pick(rng, DAYS), thing=pick(rng, THINGS))
    return " ".join(part for part in (pick(rng, OPENINGS[kind]), body, pick(rng, ENDINGS[kind])) if part)


def rows(rng: np.random.Generator) -> list[list[object]]:
    """Draw the table; at weekends there is relatively more spam."""
    out: list[list[object]] = []
    for _ in range(MESSAGES):
        received = FIRST + timedelta(days=int(520 * rng.random()))
        share = SPAM * (1.5 if received.weekday() >= 5 else 0.8)
        label = "spam" if rng.random() < share else "ham"
        odd = rng.random() < (DISGUISED if label == "spam" else UNLUCKY)
        worded = label if not odd else "ham" if label == "spam" else "spam"
        text = message(rng, worded)
        out.append([received.isoformat(), pick(rng, CHANNELS), rating(rng, label), len(text), text, label])
    return out


def main(directory: Path = HERE) -> None:
    """Write the file."""
    with (directory / "spam.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(rows(np.random.default_rng(SEED)))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
