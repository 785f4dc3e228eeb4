"""The proofs hold, name their sources and are shown readably; test_mutation.py sees them fail."""

import math
import pickle
import random
import re
import time

import numpy as np
import pytest
import sympy
import torch

from genimg_course.maths import proofs
from genimg_course.maths.proofs import (
    KINDS,
    Check,
    Proof,
    ProofFailed,
    all_proofs,
    numerics,
    proof,
    rows,
)

BY_ID = {item.id: item for item in all_proofs()}


@pytest.mark.parametrize("id", BY_ID)
def test_a_proof_holds(id):
    results = BY_ID[id].verify()
    assert [check for check, _ in results] == list(BY_ID[id].checks)
    assert all(0 <= error <= check.tolerance for check, error in results)


def test_all_proofs_together_take_seconds():
    start = time.process_time()
    for item in all_proofs():
        item.verify()
    assert time.process_time() - start < 30


def test_ids_are_unique_and_sorted_and_name_a_family():
    ids = [item.id for item in all_proofs()]
    assert ids == sorted(set(ids))
    assert all(re.fullmatch(r"[a-z]+\.[a-z0-9_]+", id) for id in ids)


@pytest.mark.parametrize("id", BY_ID)
def test_a_source_names_authors_a_year_and_an_address(id):
    for source in BY_ID[id].source.split("; "):
        assert re.match(r"[A-Z][\w ,.-]+ \((19|20)\d\d\)", source), source
        (address,) = re.findall(r"https?://\S+", source)
        known = r"https://(arxiv\.org/abs/\d{4}\.\d{4,5}|doi\.org/10\.\d{4,5}/\S+)"
        assert re.fullmatch(rf"{known}|.*\.pdf|.*\?id=\w+", address), address


ROWS = """D01 D02 D03 D04 D05 D05b D05c D06 D08 D09 D10 D11 D11b D12 D13 D14 D15 D16 D17 D18 D19 D20
D21 D22 D23 D24 D25 D26 D27 D28 D29 D30 D31 D32 D33 D34 D35 D37 D38 D39 D40 D41 D41b D42 D43 D44
D45 D46 D47 D48 D49 D50 D51 D52 D53 D53b D54 D55 D56 D57 D58 D58c D59 D60 D61 D62 D63 D64 D65 D66
D67 D68 D70 D71 D73 D74"""


def test_every_derivation_of_the_plan_has_its_proofs():
    assert set(rows()) == set(ROWS.split())
    assert {id for ids in rows().values() for id in ids} <= BY_ID.keys()
    assert all(rows().values())


def unbalanced(latex):
    """Return the first thing in a formula that is opened and not closed, or the reverse, or ''."""
    pairs = {"}": "{", r"\right": r"\left"}
    stack = []
    tokens = r"\\(?:begin|end)\{\w+\}|\\left(?![a-z])|\\right(?![a-z])|\\[^a-zA-Z]|[{}]"
    for token in re.findall(tokens, latex):
        if token in ("{", r"\left") or token.startswith(r"\begin"):
            stack.append(token)
        elif token in pairs or token.startswith(r"\end"):
            expected = pairs.get(token, token.replace("end", "begin"))
            if not stack or stack.pop() != expected:
                return token
    return stack[-1] if stack else ""


@pytest.mark.parametrize("id", BY_ID)
def test_formulas_are_balanced(id):
    item = BY_ID[id]
    inline = item.assumptions.split("$")
    assert len(inline) % 2 == 1
    assert "$" not in item.statement and "\n\n" not in item.statement
    assert [unbalanced(formula) for formula in (item.statement, *inline[1::2])] == [""] * (
        1 + len(inline) // 2
    )


@pytest.mark.parametrize(
    "formula", [r"\frac{1}{2", r"a}", r"\left( a", r"\begin{aligned} a", r"{\left( a} \right)"]
)
def test_an_unbalanced_formula_is_found(formula):
    assert unbalanced(formula)


def test_every_check_says_how_close_and_every_kind_is_used():
    checks = [check for item in all_proofs() for check in item.checks]
    assert {check.kind for check in checks} == set(KINDS)
    for check in checks:
        assert (check.tolerance == 0) == (check.kind == "SymPy identity")
        assert (check.tolerance == 6) == (check.kind == "Monte-Carlo")
        assert ("standard error" in check.description) == (check.kind == "Monte-Carlo")
        assert check.tolerance in (0, 6) or check.tolerance <= 1e-6


def state():
    return (torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate())


def test_proofs_leave_the_global_generators_alone():
    before = state()
    for item in all_proofs():
        item.verify()
    assert state() == before


@pytest.mark.parametrize(
    "mode", [torch.no_grad, torch.inference_mode, lambda: torch.device("meta")]
)
def test_a_proof_holds_whatever_the_caller_has_set(mode):
    with mode():
        for id in ("vae.collapse_threshold", "gan.value_is_jsd", "gan.r1_dirac"):
            BY_ID[id].verify()


def example(error, tolerance=1e-6, id="test.example"):
    check = Check("quadrature", "an integral", error, tolerance)
    return Proof(id, "An example", "a = b", "None.", "Nobody (1999), https://example.org", (check,))


@pytest.mark.parametrize("error", [2e-6, math.inf, math.nan])
def test_a_missed_tolerance_names_proof_check_error_and_tolerance(error):
    with pytest.raises(ProofFailed, match=r"test\.example") as failure:
        example(lambda: error).verify()
    assert failure.value.error is not None and failure.value.check.tolerance == 1e-6
    for part in ("quadrature", "an integral", f"{error:.3g}", "1e-06"):
        assert part in str(failure.value)


def test_a_check_that_cannot_run_fails_for_its_reason():
    with pytest.raises(ProofFailed, match="error nan") as failure:
        example(lambda: 1 / 0).verify()
    assert isinstance(failure.value.__cause__, ZeroDivisionError)


def test_a_failure_in_another_process_comes_back_as_its_sentence():
    with pytest.raises(ProofFailed) as failure:
        example(lambda: 1.0).verify()
    back = pickle.loads(pickle.dumps(failure.value))
    assert isinstance(back, AssertionError) and str(back) == str(failure.value)


def test_an_error_at_the_tolerance_passes():
    assert example(lambda: 1e-6).verify()[0][1] == 1e-6


def test_a_proof_runs_once_per_process_and_a_failure_is_not_kept(monkeypatch):
    errors = iter([1.0, 0.0])
    item = example(lambda: next(errors), id="test.once")
    monkeypatch.setattr(proofs, "all_proofs", lambda: (item,))
    with pytest.raises(ProofFailed):
        proof("test.once")
    assert proof("test.once") is proof("test.once")


def test_an_unknown_id_lists_near_ones():
    with pytest.raises(ValueError, match=r"'gan.optimal_disc'.*gan\.optimal_discriminator"):
        proof("gan.optimal_disc")
    with pytest.raises(ValueError, match=r"'#'.*there are autoencoder\..*vae\."):
        proof("#")


def test_a_block_shows_statement_assumptions_source_and_badges():
    shown = proof("gan.loss_gradients")
    text, markdown = repr(shown), shown._repr_markdown_()
    for block in (text, markdown):
        assert r"\frac{\partial}{\partial a} \log(1 - \sigma(a))" in block
        assert "checked: SymPy identity, exact (both derivatives)" in block
        assert block.count("checked: autograd, error below 1e-12") >= 2
        assert "Goodfellow et al. (2014), section 3" in block and "Assumptions:" in block
    assert "[arXiv:1406.2661](https://arxiv.org/abs/1406.2661)" in markdown
    assert shown.verify() == BY_ID["gan.loss_gradients"].verify()


def test_a_link_to_a_doi_keeps_its_parentheses():
    markdown = proof("metrics.frechet")._repr_markdown_()
    assert (
        "[doi:10.1016/0047-259X(82)90077-X](https://doi.org/10.1016/0047-259X%2882%2990077-X);"
        in (markdown)
    )


@pytest.mark.parametrize("id", BY_ID)
def test_an_exported_page_keeps_the_formulas(id):
    filters = pytest.importorskip("nbconvert.filters")
    page = filters.markdown2html(proof(id)._repr_markdown_())
    for latex in (" ".join(BY_ID[id].statement.split()), *BY_ID[id].assumptions.split("$")[1::2]):
        assert latex.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in page
    assert page.count("<li>") == len(BY_ID[id].checks)


@pytest.mark.parametrize("id", BY_ID)
def test_the_book_sets_the_formulas(id):
    pytest.importorskip("myst_parser")
    core, nodes = pytest.importorskip("docutils.core"), pytest.importorskip("docutils.nodes")
    from myst_parser.docutils_ import Parser

    page = core.publish_doctree(
        proof(id)._repr_markdown_(),
        parser=Parser(),
        settings_overrides={"myst_enable_extensions": ["dollarmath"], "report_level": 1},
    )
    (statement,) = page.findall(nodes.math_block)
    assert statement.astext().strip() == " ".join(BY_ID[id].statement.split())
    inline = [formula.astext() for formula in page.findall(nodes.math)]
    assert inline == BY_ID[id].assumptions.split("$")[1::2]
    assert not list(page.findall(nodes.system_message))


def test_quadrature_knows_the_moments_of_the_normal_law_and_of_an_interval():
    points, weight = numerics.gauss_hermite(4, 2)
    assert points.shape == (16, 2)
    assert (weight @ points[:, 0] ** 6).item() == pytest.approx(15, abs=1e-11)
    assert (weight @ points.prod(dim=1).square()).item() == pytest.approx(1, abs=1e-12)
    x, weight = numerics.gauss_legendre(4)
    assert (weight @ x**7).item() == pytest.approx(1 / 8, abs=1e-14)


def test_newtons_method_leaves_a_saddle_and_reaches_the_minimum():
    def loss(v):
        return (1 - v[0]) ** 2 + 100 * (v[1] - v[0] ** 2) ** 2 + v[2] ** 4 - v[2] ** 2

    best = numerics.minimise(loss, numerics.float64([-1.2, 1.0, 0.01]))
    assert best.tolist() == pytest.approx([1, 1, math.sqrt(0.5)], abs=1e-10)


def test_symbols_tell_right_from_wrong():
    a = sympy.Symbol("a", real=True)
    right = sympy.sin(a) ** 2 + sympy.cos(a) ** 2 - 1
    assert numerics.exact(right) == 0
    assert numerics.exact(right, right + a) == math.inf
    assert numerics.expectation((a + 2) ** 4, a) == 43


def test_a_gap_sees_shapes_and_a_mean_is_measured_in_standard_errors():
    assert numerics.gap(torch.zeros(3), torch.zeros(1)) == math.inf
    assert numerics.gap(torch.zeros(2), torch.tensor([0.25, -0.5])) == 0.5
    assert numerics.standard_errors(torch.full((4,), 3.0), 2.0, 4.0) == pytest.approx(0.5)
