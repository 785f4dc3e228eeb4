"""The proofs hold, name their sources, are shown readably, and fail when the course is wrong."""

import inspect
import math
import random
import re
import sys
import time

import numpy as np
import pytest
import sympy
import torch

from genimg_course import losses, maths
from genimg_course.maths import (
    conditioning,
    discriminators,
    divergences,
    estimators,
    frechet,
    gaussians,
    likelihoods,
    proofs,
)
from genimg_course.maths.proofs import KINDS, Check, Proof, ProofFailed, all_proofs, numerics, proof

BY_ID = {item.id: item for item in all_proofs()}

# function, what stands in its source, what a slip would write, the proof that must notice
MUTANTS = [
    (gaussians.gaussian_kl, "return 0.5 * (mu", "return (mu", "vae.gaussian_kl"),
    (gaussians.gaussian_kl, "(logvar) - logvar)", "(logvar) + logvar)", "vae.gaussian_kl"),
    (gaussians.gaussian_kl, "(logvar) - logvar)", "(2 * logvar) - 2 * logvar)", "vae.gaussian_kl"),
    (gaussians.gaussian_kl, "torch.expm1(logvar)", "torch.exp(logvar)", "vae.gaussian_kl"),
    (gaussians.gaussian_kl, "logvar).sum(dim=1)", "logvar).mean(dim=1)", "vae.elbo_forms"),
    (gaussians.gaussian_kl, "return 0.5 *", "return -0.5 *", "vae.elbo_identity"),
    (gaussians.gaussian_kl, "return 0.5 * (mu", "return (mu", "vae.collapse_threshold"),
    (gaussians.gaussian_log_density, "return -0.5", "return 0.5", "vae.elbo_forms"),
    (gaussians.gaussian_log_density, "(-logvar).exp()", "logvar.exp()", "vae.gaussian_kl"),
    (gaussians.gaussian_log_density, "+ logvar +", "+ 2 * logvar +", "vae.gaussian_kl"),
    (gaussians.gaussian_log_density, "2 * math.pi", "math.pi", "vae.elbo_forms"),
    (gaussians.gaussian_log_density, "(-logvar).exp()", "1", "vae.importance_bound"),
    (gaussians.reparameterise, "(0.5 * logvar)", "logvar", "vae.reparameterisation"),
    (gaussians.reparameterise, "return mu + ", "return -mu + ", "vae.reparameterisation"),
    (gaussians.reparameterise, "+ (0.5", "+ 0 * (0.5", "vae.reparameterisation"),
    (gaussians.reparameterise, ".exp() * eps", ".exp().detach() * eps", "vae.reparameterisation"),
    (gaussians.reparameterise, "torch.randn(", "torch.rand(", "vae.reparameterisation"),
    (gaussians.reparameterise, "randn(mu.shape", "randn(mu[:1].shape", "vae.reparameterisation"),
    (likelihoods.bernoulli_nll, "(logits, target, r", "(-logits, target, r", "vae.bernoulli_nll"),
    (likelihoods.bernoulli_nll, ".sum(dim=1)", ".mean(dim=1)", "vae.bernoulli_nll"),
    (likelihoods.bernoulli_nll, "return nll", "return -nll", "vae.mean_reduction"),
    (likelihoods.gaussian_nll, "(2 * sigma**2)", "sigma**2", "vae.gaussian_nll"),
    (likelihoods.gaussian_nll, "math.log(sigma) +", "-math.log(sigma) +", "vae.gaussian_nll"),
    (likelihoods.gaussian_nll, "0.5 * math.log(2", "math.log(2", "vae.elbo_identity"),
    (likelihoods.gaussian_nll, "(2 * sigma**2)", "(2 * sigma)", "vae.collapse_threshold"),
    (likelihoods.gaussian_nll, ".sum(dim=1)", ".mean(dim=1)", "vae.importance_bound"),
    (likelihoods.effective_beta, "beta * (pixels", "beta / (pixels", "vae.mean_reduction"),
    (likelihoods.effective_beta, "/ (latent_dim", "* (latent_dim", "vae.mean_reduction"),
    (losses.negative_elbo, "beta * kl", "kl", "vae.mean_reduction"),
    (losses.negative_elbo, "+ beta *", "- beta *", "vae.mean_reduction"),
    (losses.negative_elbo, ".mean()", ".sum()", "vae.mean_reduction"),
    (losses.negative_elbo, "(x + 1) / 2", "(1 - x) / 2", "vae.elbo_forms"),
    (losses.negative_elbo, "beta: float = 1.0", "beta: float = 2.0", "vae.elbo_forms"),
    (losses.squared_error, ".sum(dim=1).mean()", ".mean()", "vae.gaussian_nll"),
    (losses.squared_error, "(x - x_hat)", "(x + x_hat)", "vae.gaussian_nll"),
    (losses.discriminator_loss, "(-real_logits)", "(real_logits)", "gan.optimal_discriminator"),
    (losses.discriminator_loss, "+ F.soft", "- F.soft", "gan.optimal_discriminator"),
    (losses.discriminator_loss, "+ F.soft", "+ 2 * F.soft", "cgan.optimal_logit"),
    (
        losses.discriminator_loss,
        "(-real_logits).mean()",
        "(-real_logits).sum()",
        "gan.value_is_jsd",
    ),
    (losses.discriminator_loss, "+ F.soft", "+ 0.5 * F.soft", "gan.r1_dirac"),
    (losses.generator_loss, "-F.softplus(fake", "F.softplus(fake", "gan.loss_gradients"),
    (losses.generator_loss, "F.softplus(-fake", "F.softplus(fake", "gan.loss_gradients"),
    (losses.generator_loss, "F.softplus(-fake_logits)", "-fake_logits", "gan.loss_gradients"),
    (
        losses.generator_loss,
        "-F.softplus(fake",
        "F.softplus(fake",
        NS := ("gan.nonsaturating_is_not_zero_sum"),
    ),
    (losses.generator_loss, "if saturating", "if not saturating", NS),
    (losses.generator_loss, "F.softplus(-fake", "F.softplus(fake", "gan.r1_dirac"),
    (losses.r1_penalty, "0.5 * gamma", "gamma", "gan.r1_dirac"),
    (losses.r1_penalty, "return 0.5", "return -0.5", "gan.r1_dirac"),
    (losses.r1_penalty, "gradient.square()", "gradient", "gan.r1_dirac"),
    (discriminators.optimal_discriminator, "= prior * p,", "= p,", "gan.optimal_discriminator"),
    (discriminators.optimal_discriminator, "real / torch", "fake / torch", "gan.value_is_jsd"),
    (discriminators.optimal_discriminator, "real + fake", "real - fake", "cgan.optimal_logit"),
    (discriminators.optimal_discriminator, "real + fake", "real + 2 * fake", "cgan.label_law"),
    (discriminators.optimal_discriminator, "real / torch", "fake / torch", "cgan.projection"),
    (discriminators.optimal_discriminator, "real / torch", "fake / torch", NS),
    (discriminators.gan_value, "(q, 1 - d)", "(q, d)", "gan.value_is_jsd"),
    (discriminators.gan_value, ") + torch", ") - torch", "gan.value_is_jsd"),
    (discriminators.gan_value, ".sum()", ".mean()", "cgan.label_law"),
    (divergences.kl_divergence, "(p, p) - torch.xlogy(p, q)", "(q, q) - torch.xlogy(q, p)", NS),
    (divergences.kl_divergence, "- torch.x", "+ torch.x", "gan.value_is_jsd"),
    (divergences.kl_divergence, ".sum(dim=-1)", ".mean(dim=-1)", "vae.elbo_surgery"),
    (
        divergences.kl_divergence,
        "(p, p) - torch.xlogy(p, q)",
        "(q, q) - torch.xlogy(q, p)",
        ("vae.elbo_surgery"),
    ),
    (divergences.jensen_shannon, "(q, m)) / 2", "(q, m))", "gan.value_is_jsd"),
    (divergences.jensen_shannon, "m = (p + q) / 2", "m = q", "gan.value_is_jsd"),
    (divergences.jensen_shannon, ") + kl", ") - kl", "cgan.label_law"),
    (divergences.jensen_shannon, ") + kl", ") - kl", NS),
    (divergences.total_variation, "0.5 * (p", "(p", "gan.optimal_discriminator"),
    (divergences.total_variation, "(p - q)", "(p + q)", "gan.optimal_discriminator"),
    (conditioning.condition, "[z, table[y]]", "[table[y], z]", "cgan.concatenation"),
    (conditioning.condition, "table[y]]", "table[y.flip(0)]]", "cgan.concatenation"),
    (conditioning.projection_logit, "+ bias", "- bias", "cgan.projection"),
    (conditioning.projection_logit, "weight + bias", "weight", "cgan.projection"),
    (conditioning.projection_logit, "(class_vectors[y]", "(class_vectors[:1]", "cgan.projection"),
    (conditioning.projection_logit, ".sum(dim=1)", ".mean(dim=1)", "cgan.projection"),
    (
        conditioning.prior_shift,
        "new_prior / old_prior)",
        "old_prior / new_prior)",
        ("cgan.prior_shift"),
    ),
    (conditioning.prior_shift, "(new_prior / old_prior)", "new_prior", "cgan.prior_shift"),
    (conditioning.prior_shift, "odds / odds.sum(dim=1, keepdim=True)", "odds", "cgan.prior_shift"),
    (frechet.gaussian_frechet, "- 2 * cross", "- cross", "metrics.frechet"),
    (frechet.gaussian_frechet, ".clamp_min(0).sqrt().sum()", ".sum()", "metrics.frechet"),
    (frechet.gaussian_frechet, "mean_2).square().sum()", "mean_2).norm()", "metrics.frechet"),
    (frechet.gaussian_frechet, "root @ cov_2 @ root", "cov_1 @ cov_2", "metrics.frechet"),
    (frechet._square_root, ".clamp_min(0).sqrt()", "", "metrics.frechet"),
    (estimators.pathwise_gradient, "return 2 * z", "return z", "vae.gradient_variance"),
    (estimators.score_function_gradient, "- baseline", "+ baseline", "vae.gradient_variance"),
    (estimators.score_function_gradient, "(z - mu)", "z", "vae.gradient_variance"),
    (estimators.score_function_gradient, "(z - mu)", "(mu - z)", "vae.gradient_variance"),
    (
        estimators.importance_log_likelihood,
        " - math.log(len(log_joint))",
        "",
        ("vae.importance_bound"),
    ),
    (
        estimators.importance_log_likelihood,
        "log_joint - log_q",
        "log_joint + log_q",
        ("vae.importance_bound"),
    ),
    (
        estimators.importance_log_likelihood,
        ("torch.logsumexp(log_joint - log_q, dim=0) - math.log(len(log_joint))"),
        "(log_joint - log_q).mean(dim=0)",
        "vae.importance_bound",
    ),
]


def mutated(function, old, new):
    """Return the function with one piece of its source replaced."""
    source = inspect.getsource(function)
    assert source.count(old) == 1, f"{function.__name__} holds {old!r} {source.count(old)} times"
    scope = dict(vars(sys.modules[function.__module__]))
    exec(source.replace(old, new), scope)
    return scope[function.__name__]


def plant(monkeypatch, function, slip):
    """Put the slip wherever the course holds the function, as if its file had been changed."""
    for name, module in list(sys.modules.items()):
        if name.startswith("genimg_course") and vars(module).get(function.__name__) is function:
            monkeypatch.setattr(module, function.__name__, slip)


@pytest.mark.parametrize(
    "function, old, new, id",
    MUTANTS,
    ids=[f"{f.__name__}: {old} -> {new or 'nothing'}" for f, old, new, _ in MUTANTS],
)
def test_a_slip_in_the_course_breaks_its_proof(monkeypatch, function, old, new, id):
    plant(monkeypatch, function, mutated(function, old, new))
    with pytest.raises(ProofFailed) as failure:
        BY_ID[id].verify()
    assert failure.value.id == id
    assert failure.value.__cause__ is None, "the slip must give a wrong number, not a crash"


def test_every_function_of_the_mathematics_has_a_slip_that_is_noticed():
    public = {*maths.__all__, *losses.__all__}
    assert public - {function.__name__ for function, *_ in MUTANTS} == set()


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


def unbalanced(latex):
    """Return the first thing in a formula that is opened and not closed, or the reverse, or ''."""
    pairs = {"}": "{", r"\right": r"\left"}
    stack = []
    tokens = r"\\(?:begin|end)\{\w+\}|\\left|\\right(?![a-z])|\\[^a-zA-Z]|[{}]"
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
    with pytest.raises(ValueError, match=r"'gan.optimal'.*gan\.optimal_discriminator"):
        proof("gan.optimal")
    with pytest.raises(ValueError, match=r"'#'.*there are cgan\.concatenation.*vae\."):
        proof("#")


def test_a_block_shows_statement_assumptions_source_and_badges():
    shown = proof("gan.loss_gradients")
    text, markdown = repr(shown), shown._repr_markdown_()
    for block in (text, markdown):
        assert r"\frac{\partial}{\partial a} \log(1 - \sigma(a))" in block
        assert "checked: SymPy identity, exact (both derivatives)" in block
        assert block.count("checked: autograd, error below 1e-12") == 2
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
