"""Fixtures for all tests: a cache of their own, and real pictures where they are."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update"


@pytest.fixture(scope="session", autouse=True)
def ctrl_c_works() -> None:
    """Hear SIGINT, and let children hear it: a shell's background jobs are born deaf to it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the tests out of the reader's cache and data, and out of a read-only home."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENIMG_CACHE_DIR", str(folder))
        patch.delenv("GENIMG_DATA_DIR", raising=False)
        yield folder


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real data sets beside the checkout, or skip."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not (folder / "MD5SUMS").is_file():
        pytest.skip(f"the real data sets are not in {folder}")
    return folder


@pytest.fixture(scope="session")
def data_root(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a scratch folder in torchvision's layout, with links to the packed files."""
    root = tmp_path_factory.mktemp("data")
    for name in ("MNIST", "FashionMNIST"):
        raw = root / name / "raw"
        raw.mkdir(parents=True)
        for packed in (real_data / name / "raw").glob("*.gz"):
            (raw / packed.name).symlink_to(packed.resolve())
    return root


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Start a browser without a window, one for all tests, or skip."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"there is no browser: {', '.join(BROWSERS)}")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=QUIET.split())
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def live_book(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Build a small book of the start page and the live pages, one for all test files."""
    pytest.importorskip("jupyter_book", reason="jupyter-book is not installed")
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    from book_site import build_small_book, live_pages

    return build_small_book(tmp_path_factory.mktemp("live"), live_pages(), suppress=("myst",))


@pytest.fixture(scope="session")
def live_host(live_book: Any) -> Iterator[str]:
    """Serve the live pages on this machine."""
    from book_site import serve

    live_book.need("MathJax")
    with serve(live_book.html) as address:
        yield address
