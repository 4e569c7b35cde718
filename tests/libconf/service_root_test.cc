#include "libconf/service_root.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "libconf/handle.h"
#include "libconf/text.h"
#include "tests/libconf/temp_directory.h"

namespace libconf {
namespace {

using postkit_test::TempDirectory;

/// The path of what the kernel finds below a root, or the reason why it finds nothing.
std::string found_by_kernel(const std::string& root, const std::string& path) {
  const FileDescriptor top(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT;
  const FileDescriptor found(
      static_cast<int>(::syscall(SYS_openat2, top.get(), path.c_str(), &how, sizeof how)));
  if (!found) return std::strerror(errno);
  return std::filesystem::read_symlink(concat("/proc/self/fd/", std::to_string(found.get()))).string();
}

class RootedPathTest : public testing::Test {
 protected:
  std::string on_host(std::string_view path) const {
    const std::string found = RootedPath{.path = std::string(path), .root = root()}.on_host();
    EXPECT_TRUE(found.starts_with(root())) << path;
    return found.substr(std::min(found.size(), root().size()));
  }
  void directory(std::string_view name) const { std::filesystem::create_directories(directory_.path(name)); }
  void link(std::string_view target, std::string_view name) const {
    std::filesystem::create_symlink(target, directory_.path(name));
  }
  std::string root() const { return directory_.path(); }

  TempDirectory directory_;
};

TEST_F(RootedPathTest, WithoutARootIsThePathItself) {
  EXPECT_EQ((RootedPath{.path = "/run/x/../y"}.on_host()), "/run/x/../y");
  EXPECT_EQ((RootedPath{.path = "private/x"}.on_host()), "private/x");
  EXPECT_EQ(RootedPath().on_host(), "");
}

TEST_F(RootedPathTest, IsBelowTheRoot) {
  directory("run");
  directory_.write("run/x", "");
  for (const char* path : {"/run/x", "run/x", "//run/./x", "/../run/x", "/run/../../run/x"})
    EXPECT_EQ(on_host(path), "/run/x") << path;
  EXPECT_EQ(on_host("/"), "");
  EXPECT_EQ((RootedPath{.path = "", .root = root()}.on_host()), "") << "no path";
}

TEST_F(RootedPathTest, EndsAtWhatIsNotThere) {
  EXPECT_EQ(on_host("/none"), "/none");
  EXPECT_EQ(on_host("/none/../run"), "/none");
  link("/none", "dangling");
  EXPECT_EQ(on_host("/dangling"), "/none");
}

TEST_F(RootedPathTest, FollowsLinksWithinTheRoot) {
  directory("var");
  directory("run");
  directory_.write("run/x", "");
  link("/run", "var/absolute");
  link("../run", "var/relative");
  link("../../../../run", "var/beyond");
  link("/var/absolute/x", "twice");
  for (const char* path : {"/var/absolute/x", "/var/relative/x", "/var/beyond/x", "/twice"})
    EXPECT_EQ(on_host(path), "/run/x") << path;
  // As the host has it, this one would be /etc.
  link("/etc/passwd", "passwd");
  EXPECT_EQ(on_host("/passwd"), "/etc") << "there is no etc";
}

TEST_F(RootedPathTest, LinksWithoutEndAreTheRoot) {
  link("/b", "a");
  link("/a", "b");
  EXPECT_EQ(on_host("/a"), "");
}

TEST_F(RootedPathTest, IsWhatTheKernelFinds) {
  constexpr int kRounds = 300;
  if (found_by_kernel(root(), "/") != root()) GTEST_SKIP() << "no openat2 here";
  std::minstd_rand random(7);
  const std::vector<std::string> names = {"a", "b", "c", "..", "."};
  const auto any_path = [&] {
    std::string path = random() % 2 == 0 ? "/" : "";
    for (std::size_t count = 1 + random() % 4; count > 0; --count)
      path += names[random() % names.size()] + (count > 1 ? "/" : "");
    return path;
  };
  int found = 0;
  for (int round = 0; round < kRounds; ++round) {
    const TempDirectory tree;
    for (const char* name : {"a", "b", "c", "a/a", "a/b", "b/a", "b/c", "c/c", "a/b/c"}) {
      std::error_code failure;
      const std::filesystem::path place = tree.path(name);
      // Not through a link, which leads out of here.
      if (!std::filesystem::is_directory(std::filesystem::symlink_status(place.parent_path(), failure)))
        continue;
      if (random() % 2 == 0)
        std::filesystem::create_directory(place, failure);
      else
        std::filesystem::create_symlink(any_path(), place, failure);
    }
    for (int question = 0; question < 10; ++question) {
      const std::string path = any_path();
      const std::string wanted = found_by_kernel(tree.path(), path);
      const std::string got = RootedPath{.path = path, .root = tree.path()}.on_host();
      if (wanted.starts_with('/')) {
        ++found;
        EXPECT_EQ(got, wanted) << path << " in round " << round;
      } else if (wanted == std::strerror(ELOOP)) {
        EXPECT_EQ(got, tree.path()) << path << " in round " << round;
      } else {
        std::error_code failure;
        EXPECT_FALSE(std::filesystem::exists(std::filesystem::symlink_status(got, failure)))
            << path << " in round " << round << ": " << wanted;
      }
    }
  }
  EXPECT_GT(found, kRounds);
}

TEST(ServiceRoot, SaysWhereAPathIs) {
  const ServiceRoot host{.queue_directory = "/queue"};
  EXPECT_EQ(host.at("/run/x"), (RootedPath{.path = "/run/x"}));
  EXPECT_EQ(host.at("private/x"), (RootedPath{.path = "/queue/private/x"}));
  EXPECT_EQ(host.directory(), "");
  const ServiceRoot confined{.queue_directory = "/queue", .is_confined = true};
  EXPECT_EQ(confined.at("/run/x"), (RootedPath{.path = "/run/x", .root = "/queue"}));
  EXPECT_EQ(confined.at("private/x"), (RootedPath{.path = "private/x", .root = "/queue"}));
  EXPECT_EQ(confined.directory(), "/queue");
}

/// The services of a site, by the number of their entries.
struct Site {
  explicit Site(std::string main_cf_text, std::string master_cf_text)
      : main_cf(MainCfDocument::parse(concat("queue_directory = /queue\n", main_cf_text), "main.cf")),
        master_cf(*MasterCf::read(MasterCfDocument::parse(std::move(master_cf_text), "master.cf"), discard)),
        settings(&main_cf, Host()) {
    settings.define_service_parameters(master_cf);
  }
  Settings service(std::size_t number) const {
    return settings.for_service(master_cf.services().at(number), master_cf);
  }
  bool is_confined(std::size_t number) const { return ServiceRoot::of(service(number))->is_confined; }

  DiagnosticDiscard discard;
  MainCfDocument main_cf;
  MasterCf master_cf;
  Settings settings;
};

constexpr const char* kMasterCf =
    "smtp inet n - y - - smtpd\n"
    "submission inet n - n - - smtpd -o cleanup_service_name=other -o rewrite_service_name=none\n"
    "smtps inet n - - - - smtpd\n"
    "cleanup unix n - y - 0 cleanup\n"
    "other unix n - n - 0 cleanup\n"
    "rewrite unix - - n - - trivial-rewrite\n";

TEST(ServiceRoot, IsWhatTheEntryAsksFor) {
  const Site site("compatibility_level = 3.6\n", kMasterCf);
  EXPECT_EQ(ServiceRoot::of(site.service(0))->queue_directory, "/queue");
  EXPECT_TRUE(site.is_confined(0));
  EXPECT_FALSE(site.is_confined(1));
  EXPECT_FALSE(site.is_confined(2));
  EXPECT_FALSE(ServiceRoot::of(site.settings)->is_confined) << "no service";
}

TEST(ServiceRoot, HasADefaultByCompatibilityLevel) {
  const struct {
    const char* level;
    bool is_confined;
  } cases[] = {{"0", true}, {"0.9", true}, {"1", false}, {"2", false}, {"3.6", false}};
  for (const auto& each : cases)
    EXPECT_EQ(Site(concat("compatibility_level = ", each.level, "\n"), kMasterCf).is_confined(2),
              each.is_confined)
        << each.level;
}

TEST(ServiceRoot, OfWhatAnotherServiceDoes) {
  const Site site("compatibility_level = 3.6\n", kMasterCf);
  const Settings first = site.service(0);
  EXPECT_TRUE(first.of_peer("cleanup_service_name").is_confined());
  EXPECT_FALSE(first.of_peer("rewrite_service_name").is_confined());
  const Settings second = site.service(1);
  EXPECT_FALSE(second.of_peer("cleanup_service_name").is_confined()) << "another cleanup";
  EXPECT_FALSE(second.of_peer("rewrite_service_name").is_confined()) << "there is none";
  EXPECT_TRUE(site.settings.of_peer("cleanup_service_name").is_confined());
}

}  // namespace
}  // namespace libconf
