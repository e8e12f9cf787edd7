"""`corr bench`: corr beside the FMA peak, a copy and its peers."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from ._errors import CommandError, missing_extra
from ._pictures import check_writable

ALL_PASSES = ("forward", "input", "weight")


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "bench", help="measure corr beside the FMA peak, a copy and its peers",
        description="Measure corr beside the FMA peak, a copy of the same tensors and every "
        "installed peer, in one run: outputs checked first, rounds interleaved, the best of "
        "many bursts, threads pinned.")
    parser.add_argument("--suite", default="table",
                        help="a suite that corr ships, or a file in the form of one "
                        "(default: %(default)s; --suite list shows them)")
    parser.add_argument("--layers", metavar="NAME,...", help="only these layers; * and ? match")
    parser.add_argument("--pass", dest="which", default="forward", choices=(*ALL_PASSES, "all"))
    parser.add_argument("--threads", default="1", metavar="1,2", help="a run for each number")
    parser.add_argument("--peers", default="installed", metavar="torch,...|installed|none")
    parser.add_argument("--dtype", default="float32", choices=("float32", "float64"))
    parser.add_argument("--layout", default="NCHW", choices=("NCHW", "channels-last"),
                        help="memory layout of corr's arrays")
    parser.add_argument("--fresh", action="store_true",
                        help="keep every output alive, so that fresh pages count")
    parser.add_argument("--json", metavar="FILE", help="write all figures there")
    parser.add_argument("--plot", metavar="FILE", help="draw them there")
    parser.add_argument("--markdown", metavar="FILE",
                        help="write the report there, below the command that made it")
    parser.add_argument("--quick", action="store_true", help="a quarter of the time, more noise")
    parser.add_argument("--compare", nargs=2, metavar=("A.json", "B.json"),
                        help="measure nothing: what got faster or slower from A to B")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    from ..bench import report, suites
    from ..bench import run as bench_run
    from ..bench.compare import compare

    if arguments.compare:
        print(compare(*map(_load, arguments.compare)))
        return
    if arguments.suite == "list":
        print("\n".join(suites.names()))
        return
    try:
        layers = suites.select(suites.load(arguments.suite), arguments.layers)
    except suites.SuiteError as error:
        raise CommandError(str(error)) from None
    present, missing = _peers(arguments.peers)
    order = bench_run.Order(
        arguments.suite, layers, ALL_PASSES if arguments.which == "all" else (arguments.which,),
        _threads(arguments.threads), present, arguments.dtype, arguments.layout,
        arguments.fresh, arguments.quick)
    files = {option: check_writable(name) for option in ("json", "plot", "markdown")
             if (name := getattr(arguments, option))}
    if "plot" in files:
        try:
            import matplotlib  # noqa: F401
        except ImportError as error:
            raise missing_extra(error, "bench") from None
    try:
        with _progress(order.rows) as bar:
            def advance(row: dict[str, Any]) -> None:
                if bar is not None:
                    bar.set_postfix_str(row["name"], refresh=False)
                    bar.update()

            result = bench_run.run(order, missing, advance)
    except bench_run.BenchError as error:
        raise CommandError(str(error)) from None
    text = report.summary(result)
    print(text)
    if "json" in files:
        result.save(files["json"])
    if "plot" in files and result.rows:
        from ..bench.plot import draw

        draw(result, files["plot"])
    if "markdown" in files:
        files["markdown"].write_text(_document(arguments, text), encoding="utf-8")
    if result.about.get("interrupted"):
        raise KeyboardInterrupt


def _document(arguments: argparse.Namespace, text: str) -> str:
    command = ["corr", "bench", "--suite", arguments.suite]
    for option in ("layers", "threads", "peers", "dtype", "layout", "json", "plot", "markdown"):
        value = getattr(arguments, option)
        if value and (option in ("threads", "markdown", "plot", "json")
                      or value not in ("installed", "float32", "NCHW")):
            command += [f"--{option}", value]
    if arguments.which != "forward":
        command += ["--pass", arguments.which]
    command += [f"--{option}" for option in ("fresh", "quick") if getattr(arguments, option)]
    picture = f"\n![the same as a picture]({Path(arguments.plot).name})\n" if arguments.plot else ""
    return (
        "# Performance\n\nMade by\n\n    " + " ".join(command) + "\n\n"
        "Times are milliseconds, the best of many bursts in interleaved rounds; GFLOP/s count "
        "the direct algorithm with its padding taps. *of copy*: the time of a copy that moves as "
        "many bytes as the layer's input, weights and output, over corr's. *x*: the time of the "
        "fastest peer (bold) over corr's; above 1, corr is ahead.\n"
        + picture + "\n" + text.replace("### ", "## ") + "\n")


def _load(name: str) -> Any:
    from ..bench.run import Run

    try:
        return Run.load(Path(name))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise CommandError(f"{name}: not a file that corr bench --json wrote ({reason})") from None


def _threads(text: str) -> tuple[int, ...]:
    try:
        threads = tuple(int(word) for word in text.split(","))
    except ValueError:
        threads = ()
    if not threads or not all(1 <= n <= 256 for n in threads):
        raise CommandError(f"--threads must be whole numbers from 1 to 256, got {text!r}")
    return tuple(dict.fromkeys(threads))


def _peers(text: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """The peers to run and, of those asked for, the missing ones with the reason."""
    from ..bench import peers

    if text == "none":
        return (), {}
    wanted = list(peers.PACKAGES) if text == "installed" else text.split(",")
    for name in wanted:
        if name not in peers.PACKAGES:
            raise CommandError(f"no peer {name!r}: choose from {', '.join(peers.PACKAGES)}, "
                               "installed or none")
    missing = {name: reason for name in wanted if (reason := peers.missing(name))}
    return tuple(name for name in wanted if name not in missing), missing


def _progress(total: int) -> Any:
    try:
        from tqdm import tqdm
    except ImportError:
        return nullcontext()
    return tqdm(total=total, unit="layer", leave=False)
