#include "operators/rules/next_change.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "operators/rules/kinds.h"

namespace portrait::rules {
namespace {

constexpr double kDayMicros = 86'400e6;

}  // namespace

std::optional<int64_t> NextOf(const Value& value) {
  if (const auto* const day = std::get_if<int64_t>(&value)) return *day;
  if (const auto* const instant = std::get_if<Timestamp>(&value)) return ToMicros(*instant);
  return std::nullopt;
}

NextChange::NextChange(const Program& program) : program_(program) {
  const auto moves = [&](int32_t feature) {
    return program_.features[static_cast<size_t>(feature)].description().over_time.kind != OverTime::Kind::kStill;
  };
  const auto column_moves = [&](const Node& n) {
    const FeatureDescription& list = program_.features[static_cast<size_t>(n.c)].description();
    return moves(n.c) && list.columns[static_cast<size_t>(n.b)].over_time.kind != OverTime::Kind::kStill;
  };
  const auto within_day = [&](int32_t feature) {
    const auto kind = program_.features[static_cast<size_t>(feature)].description().over_time.kind;
    return kind == OverTime::Kind::kRuns || kind == OverTime::Kind::kOnMoment;
  };
  // Operands come before what uses them, so one pass is enough.
  for (const Node& n : program_.nodes) {
    bool depends = n.op == Op::kNow;
    if (n.op == Op::kColumn || n.op == Op::kHasColumn) depends = column_moves(n);
    if (n.op == Op::kFeature || n.op == Op::kHasFeature || n.op == Op::kInItems || LooksThrough(n.op)) {
      depends = moves(n.a);
    }
    bool runs = n.op == Op::kNow || ((n.op == Op::kFeature || n.op == Op::kHasFeature) && within_day(n.a));
    for (const int32_t part : PartsOf(program_, n)) {
      depends = depends || depends_[static_cast<size_t>(part)];
      runs = runs || runs_[static_cast<size_t>(part)];
    }
    depends_.push_back(depends);
    runs_.push_back(runs);
  }
}

class NextChange::Finder {
 public:
  Finder(const NextChange& next, Evaluation& evaluation, StartOfDay start_of, bool within_day)
      : next_(next),
        evaluation_(evaluation),
        start_of_(start_of),
        now_(evaluation.now()),
        within_day_(within_day),
        matters_(within_day ? next.runs_ : next.depends_) {}

  // Of a truth.
  Timestamp Truth(int32_t index) {
    if (!Matters(index)) return kNever;
    const Node& n = NodeAt(index);
    return n.local ? FindTruth(n, index)
                   : evaluation_.ChangeOf(index, within_day_, [&] { return FindTruth(n, index); });
  }

 private:
  Timestamp FindTruth(const Node& n, int32_t index) {
    switch (n.op) {
      case Op::kNot: return Truth(n.a);
      case Op::kAnd: return Logic(n, false);
      case Op::kOr: return Logic(n, true);
      case Op::kIf: return Choice(n, [this](int32_t part) { return Truth(part); });
      case Op::kCompare: return Comparison(n);
      default: return MotionOf(index).until;
    }
  }

  bool Matters(int32_t index) const { return matters_[static_cast<size_t>(index)]; }
  const Node& NodeAt(int32_t index) const { return next_.program_.nodes[static_cast<size_t>(index)]; }
  Timestamp Tomorrow() const { return within_day_ ? kNever : start_of_(now_.day + 1); }

  // A side that decides alone holds the value until it changes; when several do, until the last of them has.
  Timestamp Logic(const Node& n, bool decisive) {
    const Scalar a = evaluation_.Run(n.a), b = evaluation_.Run(n.b);
    const bool a_decides = !a.failed() && (a.whole != 0) == decisive;
    const bool b_decides = !b.failed() && (b.whole != 0) == decisive;
    if (a_decides && b_decides) return Matters(n.a) && Matters(n.b) ? std::max(Truth(n.a), Truth(n.b)) : kNever;
    if (a_decides) return Truth(n.a);
    if (b_decides) return Truth(n.b);
    return std::min(Truth(n.a), Truth(n.b));
  }

  template <class Of>
  Timestamp Choice(const Node& n, const Of& of) {
    const Scalar condition = evaluation_.Run(n.a);
    const Timestamp changes = Truth(n.a);
    return condition.failed() ? changes : std::min(changes, of(condition.whole != 0 ? n.b : n.c));
  }

  Timestamp Comparison(const Node& n) {
    const Motion a = MotionOf(n.a), b = MotionOf(n.b);
    Timestamp until = std::min(a.until, b.until);
    if (until != kNever && Settled(n, a, b)) until = kNever;
    const double speed = a.speed - b.speed;
    if (speed == 0) return until;
    const Scalar x = evaluation_.Run(n.a), y = evaluation_.Run(n.b);
    if (x.failed() || y.failed()) return until;
    const bool exact = x.kind != Kind::kFraction && y.kind != Kind::kFraction;
    return std::min(until, Crossing(n.relation, Distance(x, y), speed, exact));
  }

  // One side stands still, and where the other can go nothing changes.
  bool Settled(const Node& n, const Motion& a, const Motion& b) const {
    const bool left = a.until != kNever;
    if ((left && b.until != kNever) || a.speed != 0 || b.speed != 0) return false;
    const OverTime::Trend trend = left ? a.trend : b.trend;
    if (trend == OverTime::Trend::kEither) return false;
    const Scalar x = evaluation_.Run(n.a), y = evaluation_.Run(n.b);
    if (x.failed() || y.failed() || !IsNumber(x.kind) || !IsNumber(y.kind)) return false;
    const double distance = Distance(x, y);
    if (!std::isfinite(distance)) return false;
    // The distance goes the way of the left side, and against that of the right side.
    const bool falls = (trend == OverTime::Trend::kFalls) == left;
    const int side = distance < 0 ? -1 : distance > 0 ? 1 : 0;
    const bool is = Holds(n.relation, side);
    for (int reached = side; reached >= -1 && reached <= 1; reached += falls ? -1 : 1) {
      if (Holds(n.relation, reached) != is) return false;
    }
    return true;
  }

  static double Distance(const Scalar& x, const Scalar& y) {
    if (x.kind == Kind::kFraction || y.kind == Kind::kFraction) {
      const auto as_double = [](const Scalar& s) {
        return s.kind == Kind::kFraction ? s.fraction : static_cast<double>(s.whole);
      };
      return as_double(x) - as_double(y);
    }
    // Whole microseconds; exact in a double up to 285 years.
    return static_cast<double>(static_cast<long double>(x.whole) - static_cast<long double>(y.whole));
  }

  // `distance` moves by `speed` a microsecond. Time is whole microseconds: of those, the first at which the relation
  // may differ from now. Fractions are rounded, so there it is rather a microsecond early than late.
  Timestamp Crossing(Relation relation, double distance, double speed, bool exact) const {
    const int side = distance < 0 ? -1 : distance > 0 ? 1 : 0, ahead = speed < 0 ? -1 : 1;
    const bool is = Holds(relation, side);
    if (side == 0) return Holds(relation, ahead) == is ? kNever : At(1);
    if (side == ahead || !std::isfinite(distance)) return kNever;
    const double micros = std::abs(distance) / std::abs(speed);
    if (Holds(relation, 0) == is && Holds(relation, ahead) == is) return kNever;
    if (!exact) return At(std::ceil(micros * (1 - 1e-14) - 1e-3));
    return At(Holds(relation, 0) != is ? std::ceil(micros) : std::floor(micros) + 1);
  }

  Timestamp At(double micros_from_now) const {
    constexpr double kFar = 200 * 366 * kDayMicros;  // beyond any life
    if (micros_from_now > kFar) return kNever;
    return now_.time + Duration(std::max<int64_t>(1, static_cast<int64_t>(micros_from_now)));
  }

  Motion MotionOf(int32_t index) {
    if (!Matters(index)) return {};
    const Node& n = NodeAt(index);
    switch (n.op) {
      case Op::kNow: return {1};
      case Op::kFeature: return OfFeature(n.a);
      case Op::kColumn: return OfColumn(n);
      case Op::kToFraction: return MotionOf(n.a);
      case Op::kHasFeature: return {0, OfFeature(n.a).until};
      case Op::kAdd:
      case Op::kSubtract: {
        const Motion a = MotionOf(n.a), b = MotionOf(n.b);
        if (n.kind == Kind::kWhole && (a.speed != 0 || b.speed != 0)) return Daily();
        return {n.op == Op::kAdd ? a.speed + b.speed : a.speed - b.speed, std::min(a.until, b.until)};
      }
      case Op::kNegate: {
        const Motion a = MotionOf(n.a);
        return {-a.speed, a.until};
      }
      case Op::kMultiply:
      case Op::kDivide: return Scaled(n);
      case Op::kIf: {
        const Scalar condition = evaluation_.Run(n.a);
        Motion chosen;
        if (!condition.failed()) chosen = MotionOf(condition.whole != 0 ? n.b : n.c);
        return {chosen.speed, std::min(Truth(n.a), chosen.until)};
      }
      case Op::kNot:
      case Op::kAnd:
      case Op::kOr:
      case Op::kCompare: return {0, Truth(index)};
      default: return OfTheRest(n);
    }
  }

  Motion Daily(OverTime::Trend trend = OverTime::Trend::kEither) const { return {0, Tomorrow(), trend}; }

  Motion OfFeature(int32_t index) {
    const FeatureRef& feature = next_.program_.features[static_cast<size_t>(index)];
    const OverTime& over_time = feature.description().over_time;
    switch (over_time.kind) {
      case OverTime::Kind::kStill: return {};
      case OverTime::Kind::kEachDay: return Daily(over_time.trend);
      case OverTime::Kind::kRuns: return {feature.description().type == FeatureType::kDuration ? 1 : 1 / kDayMicros};
      case OverTime::Kind::kOnDay:
        if (within_day_) return {};
        return {0, evaluation_.ChangeOfFeature(index, [&] { return OnDay(feature); }), over_time.trend};
      case OverTime::Kind::kOnMoment:
        return {0, evaluation_.ChangeOfFeature(index, [&] { return OnMoment(feature); }), over_time.trend};
    }
    return Daily();
  }

  Timestamp OnDay(const FeatureRef& feature) const {
    const auto day = NextOf(evaluation_.Read(feature.Next()));
    return day ? start_of_(std::max(static_cast<int32_t>(*day), now_.day + 1)) : kNever;
  }

  Timestamp OnMoment(const FeatureRef& feature) const {
    const auto micros = NextOf(evaluation_.Read(feature.Next()));
    return micros ? std::max(FromMicros(*micros), now_.time + Duration(1)) : kNever;
  }

  Motion OfColumn(const Node& n) {
    const FeatureDescription& list = next_.program_.features[static_cast<size_t>(n.c)].description();
    return {0, OfFeature(n.c).until, list.columns[static_cast<size_t>(n.b)].over_time.trend};
  }

  // A fraction times or by something that stands still.
  Motion Scaled(const Node& n) {
    const Motion a = MotionOf(n.a), b = MotionOf(n.b);
    const Timestamp until = std::min(a.until, b.until);
    if (a.speed == 0 && b.speed == 0) return {0, until};
    if (n.kind != Kind::kFraction || (n.op == Op::kDivide && b.speed != 0) || (a.speed != 0 && b.speed != 0)) {
      return Daily();
    }
    const Scalar still = evaluation_.Run(a.speed != 0 ? n.b : n.a);
    if (still.failed()) return {0, until};
    const double speed = a.speed != 0 ? a.speed : b.speed;
    return {n.op == Op::kMultiply ? speed * still.fraction : speed / still.fraction, until};
  }

  // Lists, texts, conversions: when a part of them changes. Parts that run evenly are looked at each day.
  Motion OfTheRest(const Node& n) {
    Timestamp until = kNever;
    if (n.op == Op::kInItems || LooksThrough(n.op)) until = OfFeature(n.a).until;
    if (LooksThrough(n.op)) {
      // The body is about many items, each with a moment of its own.
      if (n.b >= 0 && next_.depends_[static_cast<size_t>(n.b)] && UsesClock(n.b)) until = std::min(until, Tomorrow());
      return {0, until};
    }
    if (n.op == Op::kHasColumn) return {0, OfFeature(n.c).until};
    for (const int32_t part : PartsOf(next_.program_, n)) {
      const Motion motion = MotionOf(part);
      until = std::min(until, motion.speed != 0 ? Tomorrow() : motion.until);
    }
    return {0, until};
  }

  // Whether anything but the columns of lists depends on time.
  bool UsesClock(int32_t index) const {
    const Node& n = NodeAt(index);
    if (n.op == Op::kColumn || n.op == Op::kHasColumn) return false;
    if (!next_.depends_[static_cast<size_t>(index)]) return false;
    const std::vector<int32_t> parts = PartsOf(next_.program_, n);
    if (parts.empty() || LooksThrough(n.op)) return true;
    return std::any_of(parts.begin(), parts.end(), [this](int32_t part) { return UsesClock(part); });
  }

  const NextChange& next_;
  Evaluation& evaluation_;
  StartOfDay start_of_;
  Moment now_;
  bool within_day_;
  const std::vector<bool>& matters_;  // by node: whether time may change it, as far as is asked
};

Timestamp NextChange::Of(Evaluation& evaluation, int32_t node, StartOfDay start_of, bool within_day) const {
  if (!(within_day ? runs_ : depends_)[static_cast<size_t>(node)]) return kNever;
  return Finder(*this, evaluation, start_of, within_day).Truth(node);
}

}  // namespace portrait::rules
