"""The pages of docs/: every example run, every figure drawn, every link leads somewhere."""

import doctest
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

import corr
from corr.cli import main

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = sorted(DOCS.glob("*.md"))
sys.path.append(str(DOCS))


def read(name):
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_examples(page, monkeypatch):
    monkeypatch.chdir(DOCS.parent)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    result = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert result.failed == 0
    assert result.attempted or ">>>" not in read(page.name)


def test_the_lesson_is_the_same_in_both_languages():
    english, korean = read("d2l-7.2.md"), read("d2l-7.2.ko.md")
    examples = [[(e.source, e.want) for e in doctest.DocTestParser().get_examples(page)]
                for page in (english, korean)]
    assert examples[0] == examples[1]
    for pattern in (r"\(figures/\S+\)", r"^#+ ", r"\$+[^$]+\$+"):
        counts = [len(re.findall(pattern, page, flags=re.M)) for page in (english, korean)]
        assert counts[0] == counts[1], pattern


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_links(page):
    for target in re.findall(r"\]\(([^)#]+)\)", read(page.name)):
        assert target.startswith("https://") or (DOCS / target).exists(), target


NUMBER = re.compile(r"-?\d+\.?\d*")


def test_figures_are_what_the_script_draws():
    import figures

    assert sorted(path.stem for path in (DOCS / "figures").iterdir()) == sorted(figures.FIGURES)
    for name, draw in figures.FIGURES.items():
        drawn, kept = str(draw()), read(f"figures/{name}.svg")
        assert NUMBER.sub("", drawn) == NUMBER.sub("", kept), name
        # Rounding may differ in the last place between machines.
        np.testing.assert_allclose(*(np.array(NUMBER.findall(text), float) for text in (drawn, kept)),
                                   atol=0.2, err_msg=name)


def test_commands_of_the_pictures_page(tmp_path, monkeypatch, capsys):
    image = pytest.importorskip("PIL.Image", reason="the [demo] extra is not installed")
    pytest.importorskip("matplotlib", reason="the [demo] extra is not installed")
    from corr.cli._pictures import sample_photograph

    monkeypatch.chdir(tmp_path)
    with image.open(sample_photograph()) as photo:
        photo.resize((200, 240)).save("photo.jpg")
    commands = re.findall(r"^corr (.*)$", read("pictures.md"), flags=re.M)
    assert len(commands) >= 8
    for command in commands:
        assert main(shlex.split(command)) == 0, command
    from corr.filters import sharpen

    np.testing.assert_allclose(np.load("kernel.npy"), sharpen(), atol=0.01)


def test_the_reference_names_everything():
    page = read("api.md")
    for name in corr.__all__:
        assert name == "__version__" or re.search(rf"\b{name}\b", page), name
