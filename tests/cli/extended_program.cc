// A program of another project: all commands of portrait, and one operator more.
#include "operators/operator.h"
#include "pipeline/cli/program.h"
#include "portrait/v1/journal.pb.h"

namespace {

// Counts page views. Any message serves as its state.
class Visits final : public portrait::Operator<portrait::v1::TaskState> {
 public:
  static void Describe(portrait::Description& about) {
    about.Name("visits").About("Pages seen").Reads({portrait::Event::kPageViewed});
    about.Feature<portrait::v1::TaskState>(
        "views", "views", "Views so far", [](const portrait::v1::TaskState& state) { return state.highest_time_us(); });
  }
  void OnEvent(const portrait::Event&, portrait::v1::TaskState& state, portrait::Context&) const override {
    state.set_highest_time_us(state.highest_time_us() + 1);
  }
};

}  // namespace

int main(int argc, char** argv) {
  return portrait::Main(argc, argv,
                        {.version = "acme-7", .add = [](portrait::ChainBuilder& chain) { chain.Add<Visits>(); }});
}
