#include "commands.hpp"

#include <string>
#include <vector>

int main(int argc, char** argv)
{
    return ocrpipe::cli::run_command_line(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}
