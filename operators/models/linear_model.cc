#include "operators/models/linear_model.h"

#include <algorithm>
#include <cmath>

#include "Eigen/Dense"
#include "absl/strings/str_cat.h"

namespace portrait {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;

constexpr double kLongestScore = 30;
constexpr double kRounded = 0.02;  // half width of the rounded tip of |·|, in units of the label

double Distance(double value, double mean, double spread) {
  return spread > 0 ? std::clamp((value - mean) / spread, -LinearModel::kReach, LinearModel::kReach) : 0;
}

double Inverse(Link link, double score) {
  const double bounded = std::clamp(score, -kLongestScore, kLongestScore);
  return link == Link::kLogit ? 1 / (1 + std::exp(-bounded)) : link == Link::kLog ? std::exp(bounded) : score;
}

// What one example adds to the loss, and to its first and second derivative by the score.
struct Loss {
  double value = 0, slope = 0, curve = 0;
};

Loss LossOf(Link link, double score, double label) {
  const double predicted = Inverse(link, score);
  if (link == Link::kLogit) {
    const double log_one_plus = score > 0 ? score + std::log1p(std::exp(-score)) : std::log1p(std::exp(score));
    return {log_one_plus - label * score, predicted - label, std::max(1e-9, predicted * (1 - predicted))};
  }
  if (link == Link::kLog) return {predicted - label * score, predicted - label, std::max(1e-9, predicted)};
  const double error = predicted - label, length = std::sqrt(error * error + kRounded * kRounded);
  // The curve of the tangent parabola above: a majorising step, which never overshoots far.
  return {length, error / length, 1 / length};
}

absl::Status Check(const Examples& examples, Link link) {
  if (examples.size() == 0) return absl::InvalidArgumentError("there are no examples to learn from");
  double least = INFINITY, most = -INFINITY;
  for (const double label : examples.labels) {
    least = std::min(least, label), most = std::max(most, label);
    const bool good = std::isfinite(label) && label >= 0 && (link != Link::kLogit || label <= 1);
    if (!good) return absl::InvalidArgumentError(absl::StrCat("a label is out of range: ", label));
  }
  for (const auto* numbers : {&examples.values, &examples.offsets}) {
    for (const double value : *numbers) {
      if (!std::isfinite(value)) return absl::InvalidArgumentError(absl::StrCat("a feature is not finite: ", value));
    }
  }
  if (link == Link::kLogit ? least == most : most <= 0) {
    return absl::InvalidArgumentError(absl::StrCat("all examples have the same label: ", least));
  }
  return absl::OkStatus();
}

double MedianOf(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

class Fitter {
 public:
  Fitter(const Examples& examples, const LinearOptions& options) : examples_(examples), options_(options) {
    for (const double label : examples.labels) unit_ += label / static_cast<double>(examples.size());
    if (options.link == Link::kLogit) unit_ = 1;
    if (options.link == Link::kMedian) unit_ = std::max(1e-3 * unit_, MedianOf(examples.labels));
    Standardise();
  }

  absl::StatusOr<LinearModel> Run() {
    Vector beta = Vector::Zero(static_cast<Eigen::Index>(examples_.features + 1));
    if (options_.link == Link::kMedian) beta[0] = 1;
    double loss = LossAt(beta);
    for (int step = 0; step < options_.max_steps; ++step) {
      const Vector direction = Newton(beta);
      double length = 1, next = 0;
      Vector at;
      for (int halving = 0; halving < 30; ++halving, length /= 2) {
        at = beta + length * direction;
        next = LossAt(at);
        if (next <= loss) break;
      }
      if (!(next <= loss)) return Done(beta);
      const double gain = loss - next;
      beta = at, loss = next;
      if (gain <= 1e-10 * (1 + std::abs(loss))) return Done(beta);
    }
    if (options_.link == Link::kMedian) return Done(beta);  // closer and closer, slowly: near enough
    return absl::FailedPreconditionError(absl::StrCat("no convergence in ", options_.max_steps, " steps"));
  }

 private:
  void Standardise() {
    model_.link = options_.link;
    const size_t n = examples_.size(), k = examples_.features;
    model_.mean.assign(k, 0), model_.spread.assign(k, 0);
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < k; ++j) model_.mean[j] += examples_.Row(i)[j] / static_cast<double>(n);
    }
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < k; ++j) {
        const double off = examples_.Row(i)[j] - model_.mean[j];
        model_.spread[j] += off * off / static_cast<double>(n);
      }
    }
    // What hardly differs, but for rounding, tells nothing.
    for (size_t j = 0; j < k; ++j) {
      const double spread = std::sqrt(model_.spread[j]);
      model_.spread[j] = spread > 1e-9 * (1 + std::abs(model_.mean[j])) ? spread : 0;
    }
    table_.resize(static_cast<Eigen::Index>(n), static_cast<Eigen::Index>(k + 1));
    for (size_t i = 0; i < n; ++i) {
      double* row = table_.data() + i * (k + 1);
      row[0] = 1;
      for (size_t j = 0; j < k; ++j) row[j + 1] = Distance(examples_.Row(i)[j], model_.mean[j], model_.spread[j]);
    }
  }

  // In units of the usual label, so that a ridge means the same in any currency.
  Loss Of(const Vector& scores, size_t i) const {
    const double offset = options_.link == Link::kMedian ? examples_.offsets[i] / unit_
                          : options_.link == Link::kLog  ? examples_.offsets[i] - std::log(unit_)
                                                         : examples_.offsets[i];
    return LossOf(options_.link, offset + scores[static_cast<Eigen::Index>(i)], examples_.labels[i] / unit_);
  }

  double LossAt(const Vector& beta) const {
    const Vector scores = table_ * beta;
    double sum = 0;
    for (size_t i = 0; i < examples_.size(); ++i) sum += Of(scores, i).value;
    return sum + options_.ridge / 2 * beta.tail(beta.size() - 1).squaredNorm();
  }

  Vector Newton(const Vector& beta) const {
    const Vector scores = table_ * beta;
    Vector slopes(scores.size()), curves(scores.size());
    for (size_t i = 0; i < examples_.size(); ++i) {
      const Loss loss = Of(scores, i);
      slopes[static_cast<Eigen::Index>(i)] = loss.slope;
      curves[static_cast<Eigen::Index>(i)] = loss.curve;
    }
    Eigen::MatrixXd hessian = table_.transpose() * curves.asDiagonal() * table_;
    Vector gradient = table_.transpose() * slopes;
    for (Eigen::Index j = 0; j < beta.size(); ++j) {
      const double ridge = j == 0 ? 0 : options_.ridge;
      hessian(j, j) += ridge + 1e-9;
      gradient[j] += ridge * beta[j];
    }
    return -hessian.ldlt().solve(gradient);
  }

  LinearModel Done(const Vector& beta) {
    const double unit = options_.link == Link::kMedian ? unit_ : 1;
    model_.intercept = beta[0] * unit;
    for (Eigen::Index j = 1; j < beta.size(); ++j) model_.weight.push_back(beta[j] * unit);
    return std::move(model_);
  }

  const Examples& examples_;
  const LinearOptions& options_;
  LinearModel model_;
  Matrix table_;
  double unit_ = 0;  // of the labels
};

}  // namespace

void Examples::Add(absl::Span<const double> row, double label, double offset) {
  values.insert(values.end(), row.begin(), row.end());
  labels.push_back(label);
  offsets.push_back(offset);
}

double LinearModel::Contribution(size_t i, double value) const {
  return weight[i] * Distance(value, mean[i], spread[i]);
}

double LinearModel::Score(absl::Span<const double> row) const {
  double score = intercept;
  for (size_t i = 0; i < weight.size(); ++i) score += Contribution(i, row[i]);
  return score;
}

absl::StatusOr<LinearModel> FitLinear(const Examples& examples, const LinearOptions& options) {
  if (absl::Status s = Check(examples, options.link); !s.ok()) return s;
  return Fitter(examples, options).Run();
}

}  // namespace portrait
