"""Writes IDX files that are wrong in one way each, and a manifest of what the reader must say.

Usage: make_malformed_idx.py DIRECTORY

Each line of manifest.tsv has, separated by tabs: the reader to call (images, labels, or examples for
a pair), the file or the two files separated by a comma, the status code, the name of the file that
the message blames, and a fragment of the message.
"""

import gzip
import os
import struct
import sys
import zlib


def idx(dimensions, data, type_code=0x08, count=None, lead=b"\0\0"):
    count = len(dimensions) if count is None else count
    header = lead + bytes([type_code, count])
    return header + b"".join(struct.pack(">I", d) for d in dimensions) + data


def pack(content):
    return gzip.compress(content, mtime=0)


def flip(content, at):
    changed = bytearray(content)
    changed[at] ^= 0xFF
    return bytes(changed)


def grown(content):
    """Packed, with one byte changed so that it inflates, without an error before the checksum, to
    more than the content, which begins the same."""
    packed = pack(content)
    for at in range(10, len(packed) - 8):
        changed = flip(packed, at)
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            inflated = stream.decompress(changed[10:])
        except zlib.error:
            continue
        if stream.eof and len(inflated) > len(content) and inflated[:16] == content[:16]:
            return changed
    raise ValueError("no such byte")


PIXELS = bytes(range(48))
IMAGES = idx([3, 4, 4], PIXELS)
LABELS = idx([3], bytes([7, 0, 9]))
NOISE = bytes((i * i * 31 + i * 17) >> 3 & 0xFF for i in range(4000))
LARGE = idx([10, 20, 20], NOISE)
HUGE = 0xFFFFFFFF

# name -> content; files that other rows use as the good half of a pair.
GOOD = {"good_images": IMAGES, "good_labels": LABELS}

# (reader, name, content, code, fragment)
SINGLE = [
    ("images", "empty", b"", "DATA_LOSS", "an empty file"),
    ("images", "one_byte", IMAGES[:1], "DATA_LOSS", "byte 1: expected a header"),
    ("images", "half_magic", IMAGES[:3], "DATA_LOSS", "byte 3: expected a header"),
    ("images", "magic_only", IMAGES[:4], "DATA_LOSS", "byte 4: expected a header"),
    ("images", "half_dimension", IMAGES[:6], "DATA_LOSS", "byte 6: expected a header"),
    ("images", "header_cut", IMAGES[:15], "DATA_LOSS", "byte 15: expected a header"),
    ("images", "header_only", IMAGES[:16], "DATA_LOSS", "expected 48 bytes of data, as the header says, found 0 bytes"),
    ("images", "data_cut", IMAGES[:-1], "DATA_LOSS", "expected 48 bytes of data, as the header says, found 47 bytes"),
    ("images", "trailing_byte", IMAGES + b"\0", "DATA_LOSS", "byte 64: expected the end of the data, found trailing"),
    ("images", "trailing_file", IMAGES + IMAGES, "DATA_LOSS", "byte 64: expected the end of the data, found trailing"),
    ("images", "magic_first_byte", flip(IMAGES, 0), "INVALID_ARGUMENT", "found 0xff 0x00"),
    ("images", "magic_second_byte", flip(IMAGES, 1), "INVALID_ARGUMENT", "found 0x00 0xff"),
    ("images", "little_endian_magic", bytes([3, 8, 0, 0]) + IMAGES[4:], "INVALID_ARGUMENT", "found 0x03 0x08"),
    ("images", "text", b"label,pixel0,pixel1\n7,0,0\n", "INVALID_ARGUMENT", "two zero bytes"),
    ("images", "png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "INVALID_ARGUMENT", "found 0x89 0x50"),
    ("images", "zip", b"PK\x03\x04" + bytes(60), "INVALID_ARGUMENT", "found 0x50 0x4b"),
    ("images", "zeros", bytes(64), "INVALID_ARGUMENT", "byte 2: expected element type 0x08"),
    ("images", "signed_bytes", idx([3, 4, 4], PIXELS, 0x09), "INVALID_ARGUMENT", "found 0x09"),
    ("images", "shorts", idx([3, 4, 4], PIXELS * 2, 0x0B), "INVALID_ARGUMENT", "found 0x0b"),
    ("images", "ints", idx([3, 4, 4], PIXELS * 4, 0x0C), "INVALID_ARGUMENT", "found 0x0c"),
    ("images", "floats", idx([3, 4, 4], PIXELS * 4, 0x0D), "INVALID_ARGUMENT", "found 0x0d"),
    ("images", "doubles", idx([3, 4, 4], PIXELS * 8, 0x0E), "INVALID_ARGUMENT", "found 0x0e"),
    ("images", "unknown_type", idx([3, 4, 4], PIXELS, 0x42), "INVALID_ARGUMENT", "found 0x42"),
    ("images", "labels_as_images", LABELS, "INVALID_ARGUMENT", "byte 3: expected 3 dimensions, found 1"),
    ("images", "no_dimensions", idx([], b""), "INVALID_ARGUMENT", "expected 3 dimensions, found 0"),
    ("images", "two_dimensions", idx([3, 16], PIXELS), "INVALID_ARGUMENT", "expected 3 dimensions, found 2"),
    ("images", "four_dimensions", idx([3, 4, 4, 1], PIXELS), "INVALID_ARGUMENT", "expected 3 dimensions, found 4"),
    ("images", "many_dimensions", idx([1] * 255, b"\0"), "INVALID_ARGUMENT", "expected 3 dimensions, found 255"),
    ("labels", "images_as_labels", IMAGES, "INVALID_ARGUMENT", "expected 1 dimension, found 3"),
    ("labels", "labels_cut", LABELS[:-1], "DATA_LOSS", "expected 3 bytes of data, as the header says, found 2 bytes"),
    ("labels", "labels_trailing", LABELS + b"\1", "DATA_LOSS", "byte 11: expected the end of the data"),
    ("labels", "labels_none", idx([0], b""), "INVALID_ARGUMENT", "byte 4: expected a dimension above 0"),
    ("labels", "labels_huge", idx([HUGE], b"\1"), "DATA_LOSS", "expected 4294967295 bytes of data, as the header says, found 1 byte"),
    ("images", "no_images", idx([0, 4, 4], b""), "INVALID_ARGUMENT", "byte 4: expected a dimension above 0"),
    ("images", "no_rows", idx([3, 0, 4], b""), "INVALID_ARGUMENT", "byte 8: expected a dimension above 0"),
    ("images", "no_columns", idx([3, 4, 0], b""), "INVALID_ARGUMENT", "byte 12: expected a dimension above 0"),
    ("images", "huge_count", idx([HUGE, 28, 28], PIXELS), "DATA_LOSS", "expected 3367254359280 bytes of data"),
    ("images", "huge_product", idx([HUGE, HUGE, HUGE], PIXELS), "INVALID_ARGUMENT", "4294967295 x 4294967295 x 4294967295"),
    # 2^64 elements: 0 where the product is taken in 64 bits.
    ("images", "product_wraps_to_zero", idx([1 << 31, 1 << 31, 4], PIXELS), "INVALID_ARGUMENT", "a size that fits into memory"),
    ("images", "little_endian_dimensions", IMAGES[:4] + struct.pack("<III", 3, 4, 4) + PIXELS, "INVALID_ARGUMENT", "a size that fits into memory"),
    ("images", "gz_empty_content", pack(b""), "DATA_LOSS", "byte 0: expected a header"),
    ("images", "gz_header_cut", pack(IMAGES[:9]), "DATA_LOSS", "byte 9: expected a header"),
    ("images", "gz_data_cut", pack(IMAGES[:-1]), "DATA_LOSS", "byte 63: expected data up to byte 64"),
    ("images", "gz_trailing_byte", pack(IMAGES + b"\0"), "DATA_LOSS", "byte 64: expected the end of the data, found trailing"),
    ("images", "gz_wrong_type", pack(idx([3, 4, 4], PIXELS, 0x0D)), "INVALID_ARGUMENT", "found 0x0d"),
    ("images", "gz_huge_count", pack(idx([HUGE, 28, 28], PIXELS)), "DATA_LOSS", "byte 64: expected data up to byte"),
    ("images", "gz_huge_product", pack(idx([HUGE, HUGE, HUGE], PIXELS)), "INVALID_ARGUMENT", "a size that fits into memory"),
    ("images", "gz_magic_only", b"\x1f\x8b", "DATA_LOSS", "the rest of a gzip stream"),
    ("images", "gz_header_only", pack(IMAGES)[:10], "DATA_LOSS", "the rest of a gzip stream"),
    ("images", "gz_stream_cut", pack(LARGE)[:1500], "DATA_LOSS", "the rest of a gzip stream"),
    ("images", "gz_no_trailer", pack(IMAGES)[:-8], "DATA_LOSS", "the rest of a gzip stream"),
    ("images", "gz_half_trailer", pack(IMAGES)[:-3], "DATA_LOSS", "the rest of a gzip stream"),
    ("images", "gz_bad_crc", flip(pack(IMAGES), -8), "DATA_LOSS", "incorrect data check"),
    ("images", "gz_bad_length", flip(pack(IMAGES), -1), "DATA_LOSS", "incorrect length check"),
    ("images", "gz_grown", grown(LARGE), "DATA_LOSS", "incorrect data check"),
    ("images", "gz_bad_method", flip(pack(IMAGES), 2), "DATA_LOSS", "unknown compression method"),
    ("images", "gz_bad_flags", flip(pack(IMAGES), 3), "DATA_LOSS", "unknown header flags set"),
    ("images", "gz_bad_block", pack(IMAGES)[:10] + b"\xff" * 40, "DATA_LOSS", "invalid block type"),
    ("images", "gz_trailing_garbage", pack(IMAGES) + b"garbage", "DATA_LOSS", "a further gzip stream"),
    ("images", "gz_trailing_zeros", pack(IMAGES) + bytes(512), "DATA_LOSS", "a further gzip stream"),
    ("images", "gz_half_second_member", pack(IMAGES[:40]) + pack(IMAGES[40:])[:12], "DATA_LOSS", "the rest of a gzip stream"),
    ("images", "gz_second_member_too_long", pack(IMAGES) + pack(b"more"), "DATA_LOSS", "byte 64: expected the end of the data"),
    ("images", "gz_in_gz", pack(pack(IMAGES)), "INVALID_ARGUMENT", "found 0x1f 0x8b"),
]

# (name of a further file, its content, images, labels, code, the file to blame, fragment)
PAIRS = [
    ("fewer_labels", idx([2], b"\1\2"), "good_images", "fewer_labels", "INVALID_ARGUMENT", "fewer_labels", "expected 3 labels, one for each image"),
    ("more_labels", idx([4], b"\1\2\3\4"), "good_images", "more_labels", "INVALID_ARGUMENT", "more_labels", "found 4"),
    ("label_ten", idx([3], b"\1\2\12"), "good_images", "label_ten", "INVALID_ARGUMENT", "label_ten", "label 2: expected a label below 10, found 10"),
    ("label_255", idx([3], b"\xff\2\3"), "good_images", "label_255", "INVALID_ARGUMENT", "label_255", "label 0: expected a label below 10, found 255"),
    (None, None, "good_labels", "good_images", "INVALID_ARGUMENT", "good_labels", "byte 3: expected 3 dimensions, found 1"),
    (None, None, "good_images", "good_images", "INVALID_ARGUMENT", "good_images", "byte 3: expected 1 dimension, found 3"),
    (None, None, "good_images", "not_there", "NOT_FOUND", "not_there", "found nothing there"),
    (None, None, "good_images/below", "good_labels", "NOT_FOUND", "good_images/below", "found nothing there"),
]


def main():
    directory = sys.argv[1]
    os.makedirs(directory, exist_ok=True)

    def write(name, content):
        with open(os.path.join(directory, name), "wb") as file:
            file.write(content)

    manifest = []
    for name, content in GOOD.items():
        write(name, content)
    for reader, name, content, code, fragment in SINGLE:
        write(name, content)
        manifest.append((reader, name, code, name, fragment))
    for name, content, images, labels, code, blamed, fragment in PAIRS:
        if name is not None:
            write(name, content)
        manifest.append(("examples", images + "," + labels, code, blamed, fragment))
    write("manifest.tsv", "".join("\t".join(row) + "\n" for row in manifest).encode())


if __name__ == "__main__":
    main()
