"""Pictures as a camera or a screen may show them, and what zxing-cpp reads in each.

    views.py FOLDER PICTURE...

Writes every view into FOLDER and one line of JSON for each to standard output.
"""

import io
import json
import pathlib
import sys

import resvg_py
import zxingcpp
from PIL import Image

GREY = 128


def upright(path):
    """The picture as pixels; an SVG drawn by a renderer of its own."""
    if path.suffix == ".svg":
        drawn = resvg_py.svg_to_bytes(svg_string=path.read_text(), zoom=1)
        return Image.open(io.BytesIO(bytes(drawn))).convert("L")
    return Image.open(path).convert("L")


def wide(picture, pixels):
    height = round(picture.height * pixels / picture.width)
    return picture.resize((pixels, height), Image.Resampling.BICUBIC)


def turned(picture, degrees):
    """On a grey table, so that the quiet zone is all the white there is."""
    return picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=GREY)


def between(picture, dark, light):
    return picture.point(lambda value: dark + value * (light - dark) // 255)


VIEWS = {
    "as_it_is": lambda picture: picture,
    # A phone's screen seen by a camera at arm's length, and close by.
    "wide_240": lambda picture: wide(picture, 240),
    "wide_1600": lambda picture: wide(picture, 1600),
    "turned_5": lambda picture: turned(picture, 5),
    "turned_15": lambda picture: turned(wide(picture, 900), 15),
    "turned_90": lambda picture: turned(picture, 90),
    "turned_180": lambda picture: turned(picture, 180),
    # A dim screen, and one in the sun.
    "dim": lambda picture: between(picture, 10, 90),
    "washed_out": lambda picture: between(picture, 150, 220),
    "turned_dim_and_small": lambda picture: turned(between(wide(picture, 360), 40, 120), 10),
}


def main(folder, *paths):
    for path in map(pathlib.Path, paths):
        for name, view in VIEWS.items():
            file = pathlib.Path(folder) / f"{path.stem}-{path.suffix[1:]}-{name}.png"
            seen = view(upright(path))
            seen.save(file)
            found = zxingcpp.read_barcodes(seen)
            print(json.dumps({
                "picture": path.name,
                "view": name,
                "file": str(file),
                "size": seen.size,
                "read": [{"format": str(one.format), "text": one.text} for one in found],
            }))


main(*sys.argv[1:])
