"""The mathematics of the course: pure functions from tensors to tensors, in nats."""

from genimg_course.maths.adjoints import convolution_backward, transposed_convolution
from genimg_course.maths.aliasing import (
    alias_frequency,
    energy_above,
    folded_spectrum,
    frequency_response,
)
from genimg_course.maths.attention import attend, attention_scores
from genimg_course.maths.augmentation import augmented_law, recovered_law, rotation_operator
from genimg_course.maths.augmented_pairs import augment_pairs
from genimg_course.maths.autoregressive import ancestral_samples, autoregressive_mask
from genimg_course.maths.averages import average_state, average_weights, warm_decay
from genimg_course.maths.backpropagation import backpropagate, perceptron
from genimg_course.maths.balance import balanced_weights, leak_probability
from genimg_course.maths.classification import (
    softmax_cross_entropy,
    softmax_cross_entropy_gradient,
)
from genimg_course.maths.codes import code_mismatch, recode
from genimg_course.maths.conditional_codes import route_condition
from genimg_course.maths.conditioning import (
    condition,
    information_bound,
    prior_shift,
    projection_logit,
)
from genimg_course.maths.convolutions import (
    conv_size,
    convolution_matrix,
    has_checkerboard,
    overlap_counts,
    transposed_conv_size,
)
from genimg_course.maths.cost import (
    arithmetic_intensity,
    energy_cost,
    roofline,
    run_hours,
    training_bytes,
)
from genimg_course.maths.denoising import (
    linear_denoiser,
    mixture_denoiser,
    mixture_score,
    score_from_denoiser,
    tweedie,
)
from genimg_course.maths.depth import merge_affine, nonlinear_stages, residual_gradient
from genimg_course.maths.diffusion import (
    denoising_kl,
    epsilon_weight,
    ideal_epsilon,
    posterior_mean,
    posterior_mean_from_epsilon,
    posterior_variance,
    predict_epsilon,
    predict_x0,
    q_sample,
    score_from_epsilon,
)
from genimg_course.maths.discriminators import (
    divergence_from_logits,
    gan_value,
    generator_slopes,
    optimal_discriminator,
)
from genimg_course.maths.divergences import jensen_shannon, kl_divergence, total_variation
from genimg_course.maths.elbo import elbo_forms
from genimg_course.maths.estimators import (
    importance_log_likelihood,
    importance_weights,
    pathwise_gradient,
    score_function_gradient,
)
from genimg_course.maths.f_divergences import (
    F_DIVERGENCES,
    convex_generator,
    density_ratio_score,
    f_conjugate,
    f_divergence,
    fenchel_conjugate,
    output_activation,
    variational_bound,
)
from genimg_course.maths.faulty_games import (
    forecast,
    generator_curvature,
    misled_discriminator,
    unfrozen_divergence,
)
from genimg_course.maths.fits import fit_divergence
from genimg_course.maths.flow_matching import flow_interpolate, flow_target, ideal_velocity
from genimg_course.maths.flows import coupling_forward, coupling_inverse
from genimg_course.maths.frechet import (
    frechet_at_infinity,
    frechet_bias,
    gaussian_frechet,
    transport_map,
)
from genimg_course.maths.games import (
    bilinear_matrix,
    critical_gamma,
    dirac_eigenvalues,
    dirac_field,
    dirac_jacobian,
    dirac_round,
    orbit,
    spectral_radius,
)
from genimg_course.maths.gaussians import (
    gaussian_entropy,
    gaussian_kl,
    gaussian_kl_full,
    gaussian_log_density,
    reparameterise,
)
from genimg_course.maths.group_augmentation import (
    augmentation_spectrum,
    lost_directions,
    mixed_law,
    unmixed_law,
)
from genimg_course.maths.image_quality import psnr, ssim
from genimg_course.maths.information import cross_entropy, entropy
from genimg_course.maths.information_plane import information_bounds, optimal_noise
from genimg_course.maths.initialisation import he_std, signal_gain
from genimg_course.maths.interpolation import lerp, slerp
from genimg_course.maths.kernels import polynomial_kernel, squared_mmd
from genimg_course.maths.layers import (
    batch_norm,
    batch_norm_backward,
    dropout,
    dropout_ridge,
    dropout_variance,
    ridge,
    soft_threshold,
)
from genimg_course.maths.likelihoods import (
    bernoulli_nll,
    bits_per_dimension,
    continuous_bernoulli_log_normaliser,
    dequantise,
    effective_beta,
    gaussian_nll,
)
from genimg_course.maths.linear_vae import active_units, linear_vae_terms, optimal_linear_vae
from genimg_course.maths.manifolds import density_coverage, neighbour_radii, precision_recall
from genimg_course.maths.mixtures import (
    component_log_density,
    em_step,
    mixture_log_density,
    mixture_moments,
    mixture_samples,
    responsibilities,
)
from genimg_course.maths.modes import best_response, chase, count_modes, effective_modes
from genimg_course.maths.optimal_critics import hinge_critic, least_squares_critic, penalised_slope
from genimg_course.maths.optimisers import adam_step, momentum_step
from genimg_course.maths.packing import packed, packed_total_variation
from genimg_course.maths.parallel import (
    merge_gradients,
    merge_statistics,
    ring_all_reduce,
    ring_traffic,
)
from genimg_course.maths.pixels import to_model_range, to_uint8
from genimg_course.maths.precision import float_format, unscale_and_clip
from genimg_course.maths.principal import (
    best_decoder,
    linear_error,
    principal_components,
    subspace_angle,
)
from genimg_course.maths.privacy import best_attack, gaussian_mechanism_delta, membership_advantage
from genimg_course.maths.quantisation import quantisation_snr, quantise_uniform, quantise_weights
from genimg_course.maths.ranking import roc_area
from genimg_course.maths.rate_distortion import quantiser_cost, reverse_water_filling
from genimg_course.maths.resizing import resize, resize_matrix, shrink
from genimg_course.maths.samplers import (
    ddim_sigma,
    ddim_step,
    euler_step,
    guided,
    heun_step,
    reverse_drift,
)
from genimg_course.maths.schedules import alpha_bars, cosine_betas, linear_betas
from genimg_course.maths.scores import inception_score
from genimg_course.maths.self_training import (
    next_generation,
    recursive_log_variance,
    recursive_variance,
)
from genimg_course.maths.spectral import conv_norm, lipschitz_bound, power_iteration, reshaped_norm
from genimg_course.maths.transport import (
    kantorovich_potential,
    lipschitz_extension,
    optimal_transport,
    parallel_lines,
    potential_1d,
    wasserstein_1d,
    wasserstein_from_cdfs,
)
from genimg_course.maths.watermark import flag_precision, match_p_value, match_threshold

__all__ = [
    "F_DIVERGENCES",
    "active_units",
    "adam_step",
    "alias_frequency",
    "alpha_bars",
    "ancestral_samples",
    "arithmetic_intensity",
    "attend",
    "attention_scores",
    "augment_pairs",
    "augmentation_spectrum",
    "augmented_law",
    "autoregressive_mask",
    "average_state",
    "average_weights",
    "backpropagate",
    "balanced_weights",
    "batch_norm",
    "batch_norm_backward",
    "bernoulli_nll",
    "best_attack",
    "best_decoder",
    "best_response",
    "bilinear_matrix",
    "bits_per_dimension",
    "chase",
    "code_mismatch",
    "component_log_density",
    "condition",
    "continuous_bernoulli_log_normaliser",
    "conv_norm",
    "conv_size",
    "convex_generator",
    "convolution_backward",
    "convolution_matrix",
    "cosine_betas",
    "count_modes",
    "coupling_forward",
    "coupling_inverse",
    "critical_gamma",
    "cross_entropy",
    "ddim_sigma",
    "ddim_step",
    "denoising_kl",
    "density_coverage",
    "density_ratio_score",
    "dequantise",
    "dirac_eigenvalues",
    "dirac_field",
    "dirac_jacobian",
    "dirac_round",
    "divergence_from_logits",
    "dropout",
    "dropout_ridge",
    "dropout_variance",
    "effective_beta",
    "effective_modes",
    "elbo_forms",
    "em_step",
    "energy_above",
    "energy_cost",
    "entropy",
    "epsilon_weight",
    "euler_step",
    "f_conjugate",
    "f_divergence",
    "fenchel_conjugate",
    "fit_divergence",
    "flag_precision",
    "float_format",
    "flow_interpolate",
    "flow_target",
    "folded_spectrum",
    "forecast",
    "frechet_at_infinity",
    "frechet_bias",
    "frequency_response",
    "gan_value",
    "gaussian_entropy",
    "gaussian_frechet",
    "gaussian_kl",
    "gaussian_kl_full",
    "gaussian_log_density",
    "gaussian_mechanism_delta",
    "gaussian_nll",
    "generator_curvature",
    "generator_slopes",
    "guided",
    "has_checkerboard",
    "he_std",
    "heun_step",
    "hinge_critic",
    "ideal_epsilon",
    "ideal_velocity",
    "importance_log_likelihood",
    "importance_weights",
    "inception_score",
    "information_bound",
    "information_bounds",
    "jensen_shannon",
    "kantorovich_potential",
    "kl_divergence",
    "leak_probability",
    "least_squares_critic",
    "lerp",
    "linear_betas",
    "linear_denoiser",
    "linear_error",
    "linear_vae_terms",
    "lipschitz_bound",
    "lipschitz_extension",
    "lost_directions",
    "match_p_value",
    "match_threshold",
    "membership_advantage",
    "merge_affine",
    "merge_gradients",
    "merge_statistics",
    "misled_discriminator",
    "mixed_law",
    "mixture_denoiser",
    "mixture_log_density",
    "mixture_moments",
    "mixture_samples",
    "mixture_score",
    "momentum_step",
    "neighbour_radii",
    "next_generation",
    "nonlinear_stages",
    "optimal_discriminator",
    "optimal_linear_vae",
    "optimal_noise",
    "optimal_transport",
    "orbit",
    "output_activation",
    "overlap_counts",
    "packed",
    "packed_total_variation",
    "parallel_lines",
    "pathwise_gradient",
    "penalised_slope",
    "perceptron",
    "polynomial_kernel",
    "posterior_mean",
    "posterior_mean_from_epsilon",
    "posterior_variance",
    "potential_1d",
    "power_iteration",
    "precision_recall",
    "predict_epsilon",
    "predict_x0",
    "principal_components",
    "prior_shift",
    "projection_logit",
    "psnr",
    "q_sample",
    "quantisation_snr",
    "quantise_uniform",
    "quantise_weights",
    "quantiser_cost",
    "recode",
    "recovered_law",
    "recursive_log_variance",
    "recursive_variance",
    "reparameterise",
    "reshaped_norm",
    "residual_gradient",
    "resize",
    "resize_matrix",
    "responsibilities",
    "reverse_drift",
    "reverse_water_filling",
    "ridge",
    "ring_all_reduce",
    "ring_traffic",
    "roc_area",
    "roofline",
    "rotation_operator",
    "route_condition",
    "run_hours",
    "score_from_denoiser",
    "score_from_epsilon",
    "score_function_gradient",
    "shrink",
    "signal_gain",
    "slerp",
    "soft_threshold",
    "softmax_cross_entropy",
    "softmax_cross_entropy_gradient",
    "spectral_radius",
    "squared_mmd",
    "ssim",
    "subspace_angle",
    "to_model_range",
    "to_uint8",
    "total_variation",
    "training_bytes",
    "transport_map",
    "transposed_conv_size",
    "transposed_convolution",
    "tweedie",
    "unfrozen_divergence",
    "unmixed_law",
    "unscale_and_clip",
    "variational_bound",
    "warm_decay",
    "wasserstein_1d",
    "wasserstein_from_cdfs",
]
