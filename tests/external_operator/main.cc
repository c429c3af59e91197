// The program `portrait` with the loyalty operator at the end of its chain: portrait-loyalty run --config portrait.yaml
#include "loyalty.h"
#include "pipeline/cli/program.h"

int main(int argc, char** argv) {
  return portrait::Main(argc, argv, {.version = "loyalty-1", .add = [](portrait::ChainBuilder& chain) {
                                       chain.Add<shop::loyalty::Loyalty>();
                                     }});
}
