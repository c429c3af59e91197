// The commands of the program, each in a file of its own, in the order of --help. program.cc lists them.
#pragma once

#include "pipeline/cli/program.h"

namespace portrait {

void AddDemo(Program& program);
void AddRun(Program& program);
void AddGenerate(Program& program);
void AddImport(Program& program);
void AddTail(Program& program);
void AddCustomers(Program& program);
void AddDescribe(Program& program);
void AddTopics(Program& program);
void AddDeadLetters(Program& program);
void AddJournal(Program& program);
void AddCheck(Program& program);
void AddBackup(Program& program);
void AddRestore(Program& program);
void AddRules(Program& program);
void AddExplain(Program& program);
void AddFit(Program& program);
void AddTrain(Program& program);
void AddModels(Program& program);
void AddBacktest(Program& program);

}  // namespace portrait
