import pytest

from kinetics_i3d_tf2.utils.remote import addresses

SIGNED = "https://host/a.mp4?X-Amz-Credential=AKIA%2F2026&X-Amz-Signature=5e1f"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("s3://bucket/a.mp4", True),
        ("filecache::s3://bucket/a.mp4", True),
        ("http://host", True),
        ("a.mp4", False),
        ("/data/a.mp4", False),
        ("C:/a.mp4", False),
        ("a:b/c.mp4", False),
    ],
)
def test_is_address(path, expected):
    assert addresses.is_address(path) == expected


def test_scheme():
    assert addresses.scheme("S3://bucket/a") == "s3"
    assert addresses.scheme("filecache::s3://bucket/a") == "s3"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.mp4: is empty", "a.mp4: is empty"),
        ("me@host: no address", "me@host: no address"),
        ("s3://bucket/a@b.mp4", "s3://bucket/a@b.mp4"),
        ("http://host:80/a?id=7", "http://host:80/a?id=7"),
        ("http://[::1]:80/a", "http://[::1]:80/a"),
        ("http://me:secret@host/a", "http://***@host/a"),
        ("http://me:se/cr?et@host/a", "http://***@host/a"),
        ("http://token@host/a", "http://***@host/a"),
        ("s3://key:secret@bucket/a", "s3://***@bucket/a"),
        ("http://h/?X-Amz-Signature=5e: no", "http://h/?X-Amz-Signature=***: no"),
        ("http://h/a?sv=2&sig=5e%3D&se=9", "http://h/a?sv=2&sig=***&se=9"),
        ("http://h/a#access_token=5e", "http://h/a#access_token=***"),
        (f"http://h/a?x={'5e' * 20}", "http://h/a?x=***"),
        (
            "no http://me:x@h/a, nor http://me:y@h/b.",
            "no http://***@h/a, nor http://***@h/b.",
        ),
    ],
)  # fmt: skip
def test_redact(text, expected):
    assert addresses.redact(text) == expected


def test_the_query_is_no_part_of_a_name():
    assert addresses.without_query(SIGNED) == "https://host/a.mp4"
    assert addresses.without_query("s3://bucket/what?.mp4") == "s3://bucket/what?.mp4"
    assert addresses.without_query("what?.mp4") == "what?.mp4"
