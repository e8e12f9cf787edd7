"""Many callers, forks, signals, small stacks, the end of the interpreter, control bits."""

import ctypes
import multiprocessing
import os
import platform
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from layers import LAYERS, Layer, same

import corr

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX's")
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
ROOT = Path(__file__).resolve().parent.parent
CHILD_SECONDS = 20


def in_threads(count, work):
    threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_many_callers_get_what_one_gets():
    wanted, wrong = [], []
    for name in LAYERS:
        for what, call in Layer(name).passes().items():
            wanted.append((name, what, call, call()))

    def work(seed):
        rng = np.random.default_rng(seed)
        for _ in range(40):
            name, what, call, result = wanted[rng.integers(len(wanted))]
            with corr.num_threads(int(rng.integers(1, 5))):
                if not same(call(), result):
                    wrong.append((name, what))

    in_threads(8, work)
    assert not wrong


def test_a_small_stack():
    """The least that Python lets a thread have, beside its own frames, is enough."""
    calls = [(call, call()) for name in LAYERS for call in Layer(name).passes().values()]
    right = []
    before = threading.stack_size(128 << 10)
    try:
        in_threads(1, lambda _: right.extend(same(call(), result) for call, result in calls))
    finally:
        threading.stack_size(before)
    assert right == [True] * len(calls)


def large():
    """Calls of a second and more, by name; none makes a large array."""
    deep = np.broadcast_to(np.float32(1), (24, 1024, 56, 56))
    thick = np.broadcast_to(np.float32(0.5), (256, 1024, 3, 3))
    gy = np.broadcast_to(np.float32(1), (24, 256, 56, 56))
    planes = np.broadcast_to(np.float32(1), (4000, 256, 56, 56))
    deep_planes = np.broadcast_to(np.float32(1), (256, 1, 3, 3))
    infinite = np.full((512, 512, 3, 3), np.inf, np.float32)
    nan = np.full((4, 512, 56, 56), np.nan, np.float32)
    picture = np.broadcast_to(np.float32(1), (1, 4096, 4096))
    filters = np.ones((40, 1, 61, 61), np.float32)
    columns = np.broadcast_to(np.float32(1), (1, 64, 512, 512))
    plan = corr.plan(deep.shape, thick, padding=1, algorithm="direct")
    return {
        "forward": lambda: corr.conv2d(deep, thick, padding=1, algorithm="direct"),
        "plan": lambda: plan(deep),
        "winograd": lambda: corr.conv2d(deep, thick, padding=1, algorithm="winograd"),
        "fft": lambda: corr.conv2d(picture, filters, padding=30, algorithm="fft"),
        "input gradient": lambda: corr.conv2d_input(deep.shape, thick, gy, padding=1),
        "phases": lambda: corr.conv2d_input((8, 64, 56 * 16, 56 * 16), np.ones((256, 64, 32, 32), np.float32),
                                            gy[:8, :, :55, :55], stride=16),
        "weight gradient": lambda: corr.conv2d_weight(deep, thick.shape, gy, padding=1),
        "depthwise weight gradient": lambda: corr.conv2d_weight(planes, deep_planes.shape, planes, padding=1,
                                                                groups=256),
        "bias gradient": lambda: corr.conv2d_backward(planes, planes, deep_planes, padding=1, groups=256,
                                                      needs="bias"),
        "edges again": lambda: corr.conv2d(deep[:, :512], infinite, padding=1, algorithm="direct"),
        "tiles again": lambda: corr.conv2d(nan, infinite, padding=1, algorithm="winograd"),
        "im2col": lambda: corr.im2col(columns, 5),
    }


def seconds_to_interrupt(call, after):
    """None if the call ends first."""
    sent, ended = [], []

    def send():
        time.sleep(after)
        sent.append(time.perf_counter())
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    # Started in the background, a program ignores it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    sender = threading.Thread(target=send)
    sender.start()
    with pytest.raises(KeyboardInterrupt):
        call()
        ended.append(1)
        sender.join()
        time.sleep(1)
    taken = time.perf_counter() - sent[0]
    sender.join()
    signal.signal(signal.SIGINT, before)
    return None if ended else taken


@posix
@pytest.mark.parametrize("name", large() if os.name == "posix" else ())
def test_ctrl_c_is_answered_within_200_ms(name):
    layer = Layer("pixels")
    wanted = layer.forward()
    call = large()[name]
    # A busy machine may stop us for as long: the best of three.
    with corr.num_threads(2):
        taken = [seconds_to_interrupt(call, after) for after in (0.1, 0.05, 0.15)]
    assert min(t for t in taken if t is not None) < 0.2, taken
    assert same([layer.forward()], [wanted])


@posix
def test_a_handler_may_itself_call_corr():
    layer, inner = Layer("pixels"), []
    wanted = layer.forward()
    x = np.broadcast_to(np.float32(1), (8, 512, 56, 56))
    w = np.broadcast_to(np.float32(1), (256, 512, 3, 3))

    def handler(number, frame):
        inner.append(layer.forward())
        signal.setitimer(signal.ITIMER_REAL, 0.02)

    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        y = corr.conv2d(x, w, algorithm="direct")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert inner and all(same([got], [wanted]) for got in inner)
    assert (y == 512 * 9).all()


def fork():
    """As os.fork; a child that hangs is ended."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        # Not Python's handler, which waits for the call to return.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(CHILD_SECONDS)
    return child


def exit_code(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def child_of(work):
    """The exit code of a fork that runs `work` and says whether it was right."""
    child = fork()
    if child == 0:
        try:
            code = 0 if work() else 1
        except BaseException:
            code = 2
        os._exit(code)
    return exit_code(child)


def tasks():
    return len(os.listdir("/proc/self/task"))


@posix
def test_forks_during_calls():
    """Of other threads, and of threads that use the pool while it forks."""
    layer, stop = Layer("pixels"), threading.Event()
    wanted = layer.forward()

    def busy(_):
        while not stop.is_set():
            with corr.num_threads(4):
                layer.forward()

    def right():
        with corr.num_threads(4):
            fine = same([layer.forward()], [wanted])
        return fine and (sys.platform != "linux" or tasks() > 1)  # it has workers of its own

    threads = [threading.Thread(target=busy, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(60):
            assert child_of(right) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert child_of(right) == 0


@posix
def test_a_fork_of_a_fork():
    layer = Layer("winograd")
    wanted = layer.forward()

    def right():
        return same([layer.forward()], [wanted])

    assert child_of(lambda: right() and child_of(right) == 0 and right()) == 0


@posix
def test_a_handler_that_forks_within_a_call():
    """The parent's call is right; the child's says that its result is lost, and the next is right."""
    layer, children = Layer("pixels"), []
    wanted = layer.forward()
    x = np.broadcast_to(np.float32(1), (8, 512, 56, 56))
    w = np.broadcast_to(np.float32(1), (256, 512, 3, 3))
    parent = os.getpid()

    def handler(number, frame):
        if not children:
            children.append(fork())

    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with corr.num_threads(2):
            y = corr.conv2d(x, w, algorithm="direct")
        assert (y == 512 * 9).all()
    except RuntimeError:
        if os.getpid() == parent:
            raise
        os._exit(0 if same([layer.forward()], [wanted]) else 1)
    finally:
        if os.getpid() != parent:
            os._exit(3)
        signal.signal(signal.SIGALRM, before)
    assert children and exit_code(children[0]) == 0


@posix
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing(method):
    x, w = np.ones((1, 64, 28, 28), np.float32), np.ones((64, 64, 3, 3), np.float32)
    wanted = corr.conv2d(x, w)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with multiprocessing.get_context(method).Pool(2) as pool:
            got = pool.starmap_async(corr.conv2d, [(x, w)] * 6).get(timeout=100)
    assert same(got, [wanted] * 6)


@pytest.mark.parametrize("end", ["", "sys.exit(0)", "raise KeyboardInterrupt"])
def test_the_interpreter_ends_while_calls_run(end):
    code = f"""
        import sys, threading, time
        import numpy as np, corr
        corr.set_num_threads(4)
        x, w = np.ones((16, 64, 56, 56), np.float32), np.ones((64, 64, 3, 3), np.float32)
        def work():
            while True:
                corr.conv2d(x, w, padding=1)
                corr.conv2d_weight(x, w.shape, x, padding=1)
        for _ in range(3):
            threading.Thread(target=work, daemon=True).start()
        time.sleep(0.3)
        {end}
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True,
                         text=True, timeout=100, check=False)
    interrupted = "KeyboardInterrupt" in end
    assert run.returncode == (-signal.SIGINT if interrupted else 0), run.stderr
    assert interrupted or not run.stderr


@linux
def test_workers_leave_signals_to_the_program():
    code = """
        import os, numpy as np, corr
        corr.set_num_threads(4)
        before = set(os.listdir("/proc/self/task"))
        x, w = np.ones((8, 64, 56, 56), np.float32), np.ones((64, 64, 3, 3), np.float32)
        corr.conv2d(x, w)
        workers = set(os.listdir("/proc/self/task")) - before
        assert len(workers) == 3, workers
        for worker in workers:
            for line in open(f"/proc/self/task/{worker}/status"):
                if line.startswith("SigBlk"):
                    free = ~int(line.split()[1], 16) & 0x7fffffff
                    assert free == 1 << 8 | 1 << 18, hex(free)  # SIGKILL, SIGSTOP
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True,
                         text=True, timeout=100, check=False)
    assert run.returncode == 0, run.stderr


@linux
def test_workers_may_run_where_the_program_may():
    """They leave their caller's core by way of their affinity, and then have all of it again."""
    code = """
        import corr, numpy as np, os, time
        corr.set_num_threads(4)
        allowed = os.sched_getaffinity(0)
        x, w = np.ones((1, 32, 60, 60), np.float32), np.ones((32, 32, 3, 3), np.float32)
        for i in range(200):
            corr.conv2d(x, w)
            time.sleep(0.0005 * (i % 8 == 0))
        deadline = time.time() + 10
        while any(os.sched_getaffinity(int(t)) != allowed for t in os.listdir("/proc/self/task")):
            assert time.time() < deadline
        assert len(os.listdir("/proc/self/task")) >= 4
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, timeout=60)


@posix
@pytest.mark.skipif(not (ROOT / "src/corr_c").is_dir(), reason="compiles src/corr_c, which is not here")
@pytest.mark.skipif(not shutil.which("gcc"), reason="compiles with gcc")
def test_all_leave_a_job():
    """A job that counts its workers wrongly waits for ever: they leave at the same moment."""
    run = subprocess.run([sys.executable, ROOT / "tools/check_c.py", "pool", "gcc"],
                         capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_other_threads_run_meanwhile():
    """A long call holds no GIL: another thread's steps do not pause for the most of it."""
    x, w = np.ones((8, 128, 56, 56), np.float32), np.ones((128, 128, 3, 3), np.float32)
    plan, gy = corr.plan(x.shape, w, padding=1), np.ones((8, 128, 56, 56), np.float32)
    for call in (lambda: corr.conv2d(x, w, padding=1), lambda: plan(x),
                 lambda: corr.conv2d_input(x.shape, w, gy, padding=1),
                 lambda: corr.conv2d_weight(x, w.shape, gy, padding=1)):
        steps, stop, pauses = [], threading.Event(), []

        def step():
            while not stop.is_set():
                steps.append(time.perf_counter())
                time.sleep(1e-4)

        other = threading.Thread(target=step)
        other.start()
        try:
            with corr.num_threads(1):
                while min(pauses, default=1) > 0.5 and len(pauses) < 20:  # on a busy machine
                    begin = time.perf_counter()
                    call()
                    end = time.perf_counter()
                    within = [t for t in list(steps) if begin < t < end]
                    pause = max(b - a for a, b in pairwise([begin, *within, end]))
                    pauses.append(pause / (end - begin))
        finally:
            stop.set()
            other.join()
        assert min(pauses) <= 0.5


class FloatingPoint:
    """MXCSR of the calling thread, through the C library's fenv_t."""

    def __init__(self):
        self.libm = ctypes.CDLL("libm.so.6")
        self.room = (ctypes.c_uint32 * 8)()

    def get(self):
        self.libm.fegetenv(self.room)
        return self.room[7] & ~0x3F

    def set(self, bits):
        self.get()
        self.room[7] = bits
        self.libm.fesetenv(self.room)


DEFAULT, FLUSH, UP, DOWN, CHOP = 0x1F80, 0x9FC0, 0x5F80, 0x3F80, 0x7F80


@pytest.mark.skipif(platform.machine() != "x86_64" or sys.platform != "linux",
                    reason="MXCSR and glibc's fenv_t")
@pytest.mark.parametrize("name", LAYERS)
def test_control_bits_are_honoured_by_every_worker_and_kept(name):
    control, layer = FloatingPoint(), Layer(name)
    results = {}
    for bits in (DEFAULT, FLUSH, UP, DOWN, CHOP, 0x1F80 | 0x8000, 0x1F80 | 0x40):
        for threads in (1, 2, 4):
            with corr.num_threads(threads):
                for what, call in layer.passes().items():
                    control.set(bits)
                    got = call()
                    after = control.get()
                    control.set(DEFAULT)
                    assert after == bits, (what, hex(after), hex(bits))
                    assert same(got, results.setdefault((bits, what), got)), (what, hex(bits), threads)
    if LAYERS[name][-1] == "direct":
        for what in layer.passes():
            assert not same(results[UP, what], results[DOWN, what]), what


@pytest.mark.parametrize("threads", [1, 4])
def test_flush_denormal(threads):
    """Products below 2^-126 are zero in every worker's part, or nowhere."""
    x = np.full((4, 64, 30, 30), 1e-20, np.float32)
    w = np.full((64, 64, 3, 3), 1e-21, np.float32)
    small = np.full((1, 1, 2, 2), 1e-40, np.float32)
    with corr.num_threads(threads):
        if not corr.set_flush_denormal(True):
            pytest.skip("this CPU cannot")
        try:
            flushed = corr.conv2d(x, w, algorithm="direct")
            assert not corr.conv2d(small, np.ones((1, 1, 1, 1), np.float32)).any()
        finally:
            corr.set_flush_denormal(False)
        kept = corr.conv2d(x, w, algorithm="direct")
        assert corr.conv2d(small, np.ones((1, 1, 1, 1), np.float32)).all()
    assert not flushed.any() and kept.all()
