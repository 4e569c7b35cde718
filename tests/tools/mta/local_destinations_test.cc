#include "tools/mta/delivery/local_destinations.h"

#include <gtest/gtest.h>

namespace mta {
namespace {

using Words = std::vector<std::string>;

TEST(CommandWords, AShellIsForWhatNeedsOne) {
  EXPECT_EQ(command_words("/usr/bin/procmail -t  -a ext", ""),
            (Words{"/usr/bin/procmail", "-t", "-a", "ext"}));
  for (const char* command :
       {"exit 67", "cat > /dev/null", "a 'b'", "echo $USER", "", "A=b cat", "a; b", "a\nb"})
    EXPECT_EQ(command_words(command, ""), (Words{"/bin/sh", "-c", command})) << command;
}

TEST(CommandWords, AnotherShellIsForAll) {
  EXPECT_EQ(command_words("/bin/cat", "/usr/bin/smrsh -c"), (Words{"/usr/bin/smrsh", "-c", "/bin/cat"}));
}

}  // namespace
}  // namespace mta
