// The program `rung`.
#include "cli/command.h"

int main(int argc, char** argv) { return rung::run_command_line(argc, argv); }
