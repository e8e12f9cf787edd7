"""The site: `python -m sphinx docs build/docs`, with the [docs] extra installed."""

import sys
from pathlib import Path

import corr

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

project, author, release = "corr", "corr contributors", corr.__version__
project_copyright = author
extensions = ["sphinx.ext.autodoc", "sphinx.ext.viewcode", "sphinx.ext.mathjax", "numpydoc",
              "myst_parser"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
# Links to files beside a page are for readers of the tree.
suppress_warnings = ["myst.xref_missing"]
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
autodoc_member_order = "bysource"
autodoc_mock_imports = [] if __import__("importlib.util").util.find_spec("onnx") else ["onnx"]
html_theme = "furo"
html_title = f"corr {release}"
exclude_patterns = ["_generated"]


def draw(app):
    """The lesson's figures, and the commands' pictures of matplotlib's sample photograph."""
    import figures

    from corr.cli import main
    from corr.cli._pictures import sample_photograph

    figures.main()
    folder = HERE / "_generated"
    folder.mkdir(exist_ok=True)
    photo = str(sample_photograph())
    for command, name in ((["demo", photo], "demo"), (["edges", photo], "edges"),
                          (["filter", photo, "--kernel", "sobel"], "sobel")):
        if not (folder / f"{name}.png").exists() and main([*command, "-o", f"{folder}/{name}.png"]):
            raise RuntimeError(f"corr {' '.join(command)} failed")


def setup(app):
    app.connect("builder-inited", draw)
