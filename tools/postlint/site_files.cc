#include "tools/postlint/site_files.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "libconf/parameter_table.h"
#include "libconf/text.h"

namespace postlint {
namespace {

namespace fs = std::filesystem;
using libconf::concat;
using libconf::Result;

bool is_there(const std::string& file) {
  std::error_code failed;
  return fs::exists(file, failed);
}

std::string absolute(const std::string& directory) {
  std::error_code failed;
  const fs::path path = fs::absolute(directory, failed).lexically_normal();
  std::string text = failed ? directory : path.string();
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

/// The configuration in `directory`, whose files are called as the user called it.
Result<SiteFiles> site_in(const std::string& directory, const std::string& root) {
  const std::string prefix =
      directory == "." ? std::string() : concat(directory, directory.ends_with('/') ? "" : "/");
  SiteFiles files{.config_directory = absolute(directory), .root = root.empty() ? root : absolute(root)};
  if (const std::string main = concat(prefix, "main.cf"); is_there(main)) files.main_cf = main;
  if (const std::string master = concat(prefix, "master.cf"); is_there(master)) files.master_cf = master;
  if (files.main_cf.empty() && files.master_cf.empty())
    return libconf::Error{.kind = libconf::ErrorKind::kInputOutput,
                          .message = concat("no main.cf or master.cf in ", directory)};
  return files;
}

std::string default_directory() {
  const char* environment = std::getenv("MAIL_CONFIG");  // NOLINT(concurrency-mt-unsafe): read once.
  return environment != nullptr ? environment
                                : std::string(libconf::find_parameter("config_directory")->default_value);
}

}  // namespace

Result<std::vector<SiteFiles>> find_sites(const std::vector<std::string>& operands,
                                          const std::optional<std::string>& directory,
                                          const std::string& root, const std::string& standard_input) {
  std::vector<SiteFiles> sites;
  const auto add = [&](Result<SiteFiles> files) -> Result<void> {
    if (!files) return files.error();
    const bool is_known = std::any_of(sites.begin(), sites.end(), [&](const SiteFiles& other) {
      return other.config_directory == files->config_directory && other.main_cf == files->main_cf;
    });
    if (!is_known) sites.push_back(std::move(*files));
    return {};
  };
  if (operands.empty()) {
    const std::string below = directory.value_or(default_directory());
    if (Result<void> added = add(site_in(concat(root, below), root)); !added) return added.error();
  }
  for (const std::string& operand : operands) {
    if (operand == "-") {
      sites.push_back({.main_cf = "-",
                       .main_text = standard_input,
                       .config_directory = absolute(directory.value_or(".")),
                       .root = root.empty() ? root : absolute(root)});
      continue;
    }
    std::error_code failed;
    if (!is_there(operand))
      return libconf::Error{.kind = libconf::ErrorKind::kInputOutput,
                            .message = concat("open ", operand, ": No such file or directory")};
    if (fs::is_directory(operand, failed)) {
      if (Result<void> added = add(site_in(operand, root)); !added) return added.error();
      continue;
    }
    const fs::path path(operand);
    const std::string parent = path.has_parent_path() ? path.parent_path().string() : ".";
    Result<SiteFiles> files = site_in(parent, root);
    // A main.cf under another name, such as main.cf.j2, or the only file that there is.
    const std::string name = path.filename().string();
    if (name != "main.cf" && name != "master.cf" && name.find("main.cf") != std::string::npos)
      files = SiteFiles{.main_cf = operand, .config_directory = absolute(parent), .root = root};
    if (name != "master.cf" && name.find("master.cf") != std::string::npos)
      files = SiteFiles{.master_cf = operand, .config_directory = absolute(parent), .root = root};
    if (Result<void> added = add(std::move(files)); !added) return added.error();
  }
  return sites;
}

}  // namespace postlint
