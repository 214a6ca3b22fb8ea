#include "hub/started_program.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "hub/loopback_hub.h"
#include "paths.h"

namespace rung {

StartedProgram::StartedProgram(std::vector<std::string> arguments, std::vector<std::string> environment) {
  const std::string program = rung_program().string(), errors = (folder_ / "errors").string();
  arguments.insert(arguments.begin(), "rung");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  child_ = ::fork();
  if (child_ != 0) return;
  ::dup2(::open(errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
  ::dup2(::open("/dev/null", O_RDWR), STDOUT_FILENO);
  for (std::string& variable : environment) ::putenv(variable.data());
  ::execv(program.c_str(), argv.data());
  ::_exit(99);
}

int StartedProgram::end_with(int signal) {
  ::kill(child_, signal);
  int status = 0;
  ::waitpid(child_, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string StartedProgram::errors() const { return text_of(folder_ / "errors"); }

}  // namespace rung
