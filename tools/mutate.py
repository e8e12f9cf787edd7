"""Plants bugs one by one and says which of them the tests do not see.

    python tools/mutate.py                 every bug of tools/mutants.py
    python tools/mutate.py --only fft      those whose name holds a word
    python tools/mutate.py --check         only whether every edit still applies
    python tools/mutate.py --quick --log FILE    in turns: what FILE says was caught is left out

A bug is a small edit of one file. It is made in a copy of the tree, what depends on the file
is compiled, and the tests are run until one fails: first those that are named beside the bug,
then, without --quick, all. POSIX; needs Cython, gcc or clang (CC, if it is set), and what the
tests need.
"""

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from multiprocessing.pool import ThreadPool
from pathlib import Path

from mutants import MUTANTS

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ["-std=c11", "-O2", "-ffp-contract=off", "-fvisibility=hidden", "-fPIC", "-fwrapv"]
PYTEST = ["-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
# But what waits for other programs, and the test of this list.
ALL = [*PYTEST, "--ignore", "tests/test_bench.py", "--ignore", "tests/test_mutants.py"]


def problems(root):
    """What is wrong with the list itself: edits that do not apply just once, names twice."""
    found = []
    names = [mutant.name for mutant in MUTANTS]
    found += [f"two bugs are named {name!r}" for name in sorted(set(names)) if names.count(name) > 1]
    for mutant in MUTANTS:
        path = root / mutant.file
        count = path.read_text().count(mutant.old) if path.exists() else 0
        if count != 1:
            found.append(f"{mutant.name}: {mutant.file} holds {count} times, not once: {mutant.old!r}")
    return found


class Tree:
    """A copy of the tree, compiled, whose files can be changed and set back."""

    def __init__(self, folder, options):
        import numpy

        self.through, self.jobs, self.patience = options.through.split(), options.jobs, options.patience
        self.root = Path(folder, "tree")
        skip = shutil.ignore_patterns(".git", "build", "*.so", "__pycache__", "_generated")
        shutil.copytree(ROOT, self.root, ignore=skip)
        self.objects = Path(folder, "objects")
        self.objects.mkdir()
        self.includes = [f"-I{self.root}/src/corr_c", f"-I{numpy.get_include()}",
                         f"-I{sysconfig.get_path('include')}"]
        self.compiler = (os.environ.get("CC") or shutil.which("gcc") or shutil.which("clang")).split()
        self.headers = {}
        shutil.copyfile(self.root / "src/corr_c/corr.h", self.root / "src/corr/include/corr.h")
        self.sources = sorted(self.root.glob("src/corr_c/**/*.c"))
        for module in ("_core", "_kernels"):
            self.translate(module)
        pairs = [(source, self.object(source)) for source in self.sources]
        pairs += [(self.objects / f"{m}.c", self.objects / f"{m}.o") for m in ("_core", "_kernels")]
        if not self.compile(pairs):
            raise SystemExit("the tree as it is does not compile")
        self.link("_kernels", [self.objects / "_kernels.o"])
        self.link_core({})

    def object(self, source):
        return self.objects / (source.relative_to(self.root / "src").as_posix().replace("/", "-") + ".o")

    def translate(self, module):
        """Cython, with setup.py's directives."""
        directives = ("binding=True", "embedsignature=False", "freethreading_compatible=True")
        options = [word for directive in directives for word in ("-X", directive)]
        subprocess.run([sys.executable, "-m", "cython", "-3", *options, f"src/corr/{module}.pyx",
                        "-o", str(self.objects / f"{module}.c")], cwd=self.root, check=True)

    def compile(self, pairs):
        def one(pair):
            return subprocess.call([*self.through, *self.compiler, *FLAGS, *self.includes, "-w",
                                    "-DNPY_NO_DEPRECATED_API=NPY_1_7_API_VERSION", "-c",
                                    str(pair[0]), "-o", str(pair[1])])

        with ThreadPool(self.jobs) as pool:
            return not any(pool.map(one, pairs))

    def link(self, module, objects):
        target = self.root / f"src/corr/{module}{sysconfig.get_config_var('EXT_SUFFIX')}"
        target.unlink(missing_ok=True)
        subprocess.run([*self.compiler, "-shared", "-pthread", "-s", *map(str, objects), "-lm",
                        "-o", str(target)], check=True)

    def link_core(self, changed):
        objects = [self.objects / "_core.o", *map(self.object, self.sources)]
        self.link("_core", [changed.get(path, path) for path in objects])

    def dependents(self, path, isa):
        """The sources to compile; of the ISAs' only the one that the tests will use."""
        if path.suffix in (".pyx", ".pxi", ".pxd"):
            self.translate("_core")
            return [(self.objects / "_core.c", self.objects / "_core.o")]
        return [(source, self.object(source)) for source in self.sources
                if (source.parent.name != "isa" or source.stem == isa)
                and str(path) in self.read_by(source)]

    def read_by(self, source):
        """The files that the compiler reads for this one."""
        if source not in self.headers:
            rule = subprocess.run([*self.compiler, *FLAGS, *self.includes, "-MM", str(source)],
                                  capture_output=True, text=True, check=True).stdout
            self.headers[source] = set(map(os.path.normpath, rule.split()))
        return self.headers[source]

    def plant(self, mutant, isa):
        """Returns whether it compiles."""
        path = self.root / mutant.file
        self.kept = path, path.read_text()
        path.write_text(self.kept[1].replace(mutant.old, mutant.new))
        if path.suffix == ".py":
            return True
        pairs = self.dependents(path, isa)
        assert pairs, f"nothing depends on {mutant.file}"
        changed = {target: target.with_suffix(".changed") for _, target in pairs}
        if not self.compile([(source, changed[target]) for source, target in pairs]):
            return False
        self.link_core(changed)
        return True

    def set_back(self):
        path, text = self.kept
        path.write_text(text)
        if path.suffix in (".pyx", ".pxi", ".pxd"):
            self.translate("_core")
        self.link_core({})

    def run(self, command, isa):
        """None if it passes, else what failed."""
        environment = {**os.environ, "PYTHONPATH": f"{self.root}/src", "CORR_ISA": isa,
                       "PYTHONDONTWRITEBYTECODE": "1"}
        process = subprocess.Popen([*self.through, sys.executable, *command], cwd=self.root, env=environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                   errors="replace", start_new_session=True)
        try:
            text, _ = process.communicate(timeout=self.patience)
        except subprocess.TimeoutExpired:
            return "hung"
        finally:
            try:
                os.killpg(process.pid, 9)
            except ProcessLookupError:
                pass
        if process.returncode == 0:
            return None
        failed = [line for line in text.splitlines() if line.startswith(("FAILED", "ERROR"))]
        return failed[0][:120] if failed else f"{' '.join(command[:3])}: exit {process.returncode}"


def caught_before(log):
    """The names of the bugs of which a file of former runs says that they were caught."""
    lines = Path(log).read_text().splitlines() if log and Path(log).exists() else []
    known = [mutant.name for mutant in MUTANTS]
    return {name for name in known for line in lines if line.startswith(f"caught {name} (")}


def commands(mutant):
    """What is run: the named tests, then the suite; a tool runs as it is."""
    if mutant.tests.startswith("tools/"):
        yield mutant.tests.split()
    elif mutant.tests:
        yield [*PYTEST, *mutant.tests.split()]
    yield ALL


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", help="bugs whose name holds this, or another --only")
    parser.add_argument("--from", dest="first", default="", help="begin with the bug of this name")
    parser.add_argument("--check", action="store_true", help="only whether the edits apply")
    parser.add_argument("--quick", action="store_true", help="only the tests named beside a bug")
    parser.add_argument("--log", default="", help="a file to add to; who is caught there is left out")
    parser.add_argument("--part", default="1/1", help="2/3: the second third of them")
    parser.add_argument("--jobs", type=int, default=2, help="compilers at a time")
    parser.add_argument("--patience", type=float, default=1800,
                        help="seconds that tests may take: a bug that hangs is seen, too")
    parser.add_argument("--through", default="", help="a command to run each step through: nice")
    options = parser.parse_args()
    if wrong := problems(ROOT):
        print(*wrong, sep="\n")
        return 1
    print(f"{len(MUTANTS)} bugs, all edits apply", flush=True)
    if options.check:
        return 0
    names = [mutant.name for mutant in MUTANTS]
    first = names.index(options.first) if options.first else 0
    words = options.only or [""]
    chosen = [mutant for mutant in MUTANTS[first:] if any(word in mutant.name for word in words)]
    before = caught_before(options.log)
    chosen = [mutant for mutant in chosen if mutant.name not in before]
    part, parts = map(int, options.part.split("/"))
    chosen = chosen[part - 1 :: parts]
    chosen.sort(key=lambda mutant: mutant.tests.startswith("tools/"))  # the slow ones last
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        tree = Tree(folder, options)
        code = "import corr; print(corr.show_config('dicts')['isa'])"
        best = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                              env={**os.environ, "PYTHONPATH": f"{tree.root}/src"}).stdout.strip()
        for mutant in chosen:
            isa, began, seen = mutant.isa or best, time.time(), None
            if not tree.plant(mutant, isa):
                raise SystemExit(f"{mutant.name} does not compile")
            steps = list(commands(mutant))
            for command in steps[:1] if options.quick else steps:
                if seen := tree.run(command, isa):
                    break
            tree.set_back()
            line = (f"{'SURVIVED' if seen is None else 'caught'} {mutant.name} "
                    f"({time.time() - began:.0f} s): {seen or mutant.what}")
            print(line, flush=True)
            if options.log:
                with open(options.log, "a") as log:
                    print(line, file=log)
            if seen is None:
                survivors.append(mutant)
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} caught")
    for mutant in survivors:
        print(f"survived: {mutant.name}, {mutant.file}: {mutant.what}")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
