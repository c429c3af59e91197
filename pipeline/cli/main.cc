#include "pipeline/cli/program.h"

int main(int argc, char** argv) { return portrait::Main(argc, argv); }
