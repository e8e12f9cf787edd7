"""Disassembles the built module: wide registers only in the kernels, no spills in their loops.

    python tools/check_instructions.py [--report] [OBJECT_OR_FOLDER ...]

Without arguments, builds the extension modules into a temporary folder and looks at their
objects (the modules themselves are stripped). What is checked, walking all functions:

  x86-64   An instruction beyond the baseline stands in a function whose name ends in its
           ISA (`_avx2`, `_avx512`), and one of AVX-512 only in `_avx512`: the dynamic
           linker, an inlined helper or a constant folded into a vector may not reach a CPU
           that lacks it. A function of AVX clears the upper halves of its vectors before it
           returns (compilers leave that out where it was handed one): with them in use, all
           SSE code that follows is slow.
  both     An innermost loop with HOT multiply-adds of vectors or more touches no vector on
           the stack: a spill there costs more than a multiply-add. A kernel whose name has its tile,
           as `_14x2_`, has a loop of so many: else its accumulators are not in registers.
           `generic` is plain C and promises neither, and what KEPT names has more operands
           than there are registers.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

HOT = 4
FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$")
# Operands in memory by design: a square of 36 points of F(4, 3); a block of weights that is turned or thinned out,
# each checked by a multiply-add; the weights of two planes or more, a vector each; in 16 registers the
# even and odd sums of a pair of rows with what they are made of, and of 3x3 weights the masks of three
# columns beside nine sums and three rows.
KEPT = re.compile(r"corr_winograd_((input|output)_6|gradients|taps)_|corr_pack_(weights|spread)_|corr_march_(OWN|PAIR)_|"
                  r"corr_up_\w+_avx2|corr_weight_3_3_1_\w+_avx2")
# What gcc adds to the name of a part of a function, or of its copy.
SUFFIX = re.compile(r"\.(part|constprop|isra|cold|llvm|lto_priv)\b.*$")


@dataclass
class Machine:
    """How one architecture spells what is looked for."""

    jump: re.Pattern
    leaves: re.Pattern  # the next instruction is not reached
    fma: re.Pattern
    vector: re.Pattern
    stack: re.Pattern
    frame: re.Pattern  # the stack by its frame pointer, where a function keeps one
    keeps_frame: re.Pattern


MACHINES = {
    "x86-64": Machine(
        jump=re.compile(r"^j\w+ ([0-9a-f]+)"),
        leaves=re.compile(r"^(jmp|ret|ud2)"),
        fma=re.compile(r"^vfn?m(add|sub)\d+p[sd]\b"),
        vector=re.compile(r"%[xyz]mm"),
        stack=re.compile(r"\(%rsp"),
        frame=re.compile(r"\(%rbp"),
        keeps_frame=re.compile(r"^mov %rsp,%rbp"),
    ),
    "aarch64": Machine(
        jump=re.compile(r"^(?:b(?:\.\w+)?|cbn?z \w+,|tbn?z \w+, #\d+,) ?([0-9a-f]+)"),
        leaves=re.compile(r"^(b |br|ret|udf|brk)"),
        fma=re.compile(r"^fmla v"),
        vector=re.compile(r"\b[qv]\d+\b"),
        stack=re.compile(r"\[sp"),
        frame=re.compile(r"\[x29"),
        keeps_frame=re.compile(r"^(mov x29, sp|add x29, sp)"),
    ),
}

TILE = re.compile(r"_(\d+)x(\d+)_")
BEYOND_BASELINE = re.compile(
    r"^(v(?!err|erw|mcall)\w+|k(mov|or|and|xor|not|shift|test|add|unpck|xnor)\w*|andn|bextr|bls\w+|bzhi"
    r"|mulx|pdep|pext|rorx|sarx|shlx|shrx|popcnt|lzcnt|pshufb|phadd\w+|p(min|max)[us][bdw]\b(?<!ub)(?<!sw)"
    r"|pmulld|pblend\w+|blendv?p[sd]|round[ps][sd]|dpp[sd]|pinsr[bdq]|pextr[bdq]|ptest|palignr"
    r"|haddp[sd]|addsubp[sd]|movshdup|movsldup|movddup|lddqu|insertps|extractps|crc32)\b"
)
WIDE = re.compile(r"%[yz]mm")
AVX512 = re.compile(r"%zmm|%[xy]mm(1[6-9]|2\d|3[01])\b|%k[0-7]")


def disassemble(path):
    """The machine, and per function its (address, text) instructions."""
    tool = shutil.which("objdump")
    head = subprocess.run([tool, "-f", path], capture_output=True, text=True).stdout
    machine = "x86-64" if "x86-64" in head else "aarch64" if "aarch64" in head else None
    if machine is None:  # another one's binutils
        tool, machine = shutil.which("aarch64-linux-gnu-objdump") or tool, "aarch64"
    lines = subprocess.run([tool, "-d", "--no-show-raw-insn", path],
                           capture_output=True, text=True, check=True).stdout.splitlines()
    functions, body = {}, []
    for line in lines:
        if found := FUNCTION.match(line):
            body = functions.setdefault(found[1], [])
        elif found := INSTRUCTION.match(line):
            body.append((int(found[1], 16), f"{found[2]} {found[3]}".strip()))
    return MACHINES[machine], functions


def isa_of(name, isas):
    return next((isa for isa in isas if SUFFIX.sub("", name).endswith(f"_{isa}")), None)


def beyond(body, isa):
    """The first instruction that a function of `isa` may not have, or None."""
    for _, text in body:
        if isa == "avx512":
            return None
        if AVX512.search(text) or (isa != "avx2" and BEYOND_BASELINE.match(text)):
            return text
    return None


def leaves_halves(body):
    return (any(WIDE.search(text) for _, text in body)
            and not any(text.startswith("vzeroupper") for _, text in body))


def reached(start, follow, low, high):
    """All that `follow` leads to from `start` within [low, high]."""
    seen, waiting = set(), [start]
    while waiting:
        at = waiting.pop()
        if low <= at <= high and at not in seen:
            seen.add(at)
            waiting += follow[at]
    return seen


def innermost_loops(body, machine):
    """Sets of instructions that a backward jump makes a loop of and that hold no other."""
    index = {address: i for i, (address, _) in enumerate(body)}
    after, before, backward = [], [[] for _ in body], []
    for i, (_, text) in enumerate(body):
        found = machine.jump.match(text)
        target = index.get(int(found[1], 16)) if found else None
        after.append([] if machine.leaves.match(text) else [i + 1])
        if target is not None:
            after[i].append(target)
            if target <= i:
                backward.append((target, i))
        for to in after[i]:
            if to < len(body):
                before[to].append(i)
    loops = []
    for start, end in backward:
        forth = reached(start, after, start, end)
        if end in forth:
            loops.append(forth & reached(end, before, start, end))
    return [a for a in loops if not any(b < a for b in loops)]


def hot_loops(body, machine):
    """(multiply-adds, vector accesses to the stack) of each innermost loop with any."""
    frame = any(machine.keeps_frame.match(text) for _, text in body)
    for loop in innermost_loops(body, machine):
        texts = [body[i][1] for i in loop]
        fmas = sum(bool(machine.fma.match(text)) for text in texts)
        on_stack = [text for text in texts if machine.vector.search(text) and (
            machine.stack.search(text) or (frame and machine.frame.search(text)))]
        if fmas:
            yield fmas, len(on_stack)


def build(folder):
    command = [sys.executable, "setup.py", "-q", "build_ext", "-j2", "--force",
               "--build-temp", folder, "--build-lib", f"{folder}/lib"]
    subprocess.run(command, cwd=ROOT, check=True)


def check(objects, report):
    isas = [path.stem for path in sorted((ROOT / "src/corr_c/isa").glob("*.c"))]
    wrong = kernels = loops = 0
    for path in objects:
        machine, functions = disassemble(path)
        for name, body in functions.items():
            isa = isa_of(name, isas)
            kernels += isa is not None
            if machine is MACHINES["x86-64"] and (text := beyond(body, isa)):
                wrong += 1
                print(f"{path.name}: {name}: beyond its ISA: {text}")
            if machine is MACHINES["x86-64"] and leaves_halves(body):
                wrong += 1
                print(f"{path.name}: {name}: returns with the upper halves of vectors in use")
            if isa in (None, "generic"):
                continue
            found = list(hot_loops(body, machine))
            loops += len(found)
            tile = TILE.search(name)
            folded = machine.leaves.match(body[0][1])  # gcc: the code of an equal function
            if tile and not folded and max(found, default=(0, 0))[0] < int(tile[1]) * int(tile[2]):
                wrong += 1
                print(f"{path.name}: {name}: no loop with all of its accumulators")
            for fmas, spills in found:
                spilt = spills > 0 and fmas >= HOT and not KEPT.match(name)
                wrong += spilt
                if spilt or report:
                    print(f"{path.name}: {name}: a loop of {fmas} multiply-adds "
                          f"with {spills} vector accesses to the stack")
    print(f"{len(objects)} objects, {kernels} kernels, {loops} hot loops: {wrong} wrong")
    return 1 if wrong or not loops else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--report", action="store_true", help="every hot loop, not only bad ones")
    parser.add_argument("paths", nargs="*", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if not arguments.paths:
            build(folder)
        roots = arguments.paths or [Path(folder)]
        objects = [path for root in roots
                   for path in (sorted(root.rglob("*.o")) if root.is_dir() else [root])]
        return check(objects, arguments.report)


if __name__ == "__main__":
    sys.exit(main())
