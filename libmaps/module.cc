#include "libmaps/module.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>

#include "libconf/text.h"

namespace libmaps {
namespace {

using libconf::concat;

std::string file_name(std::string_view type) { return concat("libmaps-", type, ".so"); }

/// As Postfix says it of a type that its dynamicmaps.cf names, or does not name.
Error unsupported(std::string_view type, std::string_view more = "") {
  return {.kind = ErrorKind::kUnsupported, .message = concat("unsupported dictionary type: ", type, more)};
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += concat(text.empty() ? "" : ", ", word);
  return text;
}

Result<const ModuleEntry*> load(std::string_view type) {
  const std::optional<std::string> file = find_module(type);
  if (!file)
    return unsupported(type, concat(". Is the postkit-", type, " package installed? (", file_name(type),
                                    " is not in ", join(module_directories()), ")"));
  const auto unusable = [&](std::string_view reason) {
    return unsupported(type, concat(" (", *file, ": ", reason, ")"));
  };
  // Never closed: the code of every table, and of what it started, must stay.
  void* const library = ::dlopen(file->c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    // It mostly starts with the file's name.
    std::string_view reason = ::dlerror();
    if (const std::string start = *file + ": "; reason.starts_with(start)) reason.remove_prefix(start.size());
    return unusable(reason);
  }
  const auto* entry = static_cast<const ModuleEntry*>(::dlsym(library, kModuleEntryName));
  if (entry == nullptr) return unusable("is not a module of postkit");
  if (std::string_view(entry->abi) != kModuleAbi)
    return unusable(
        concat("is of another build: \"", entry->abi, "\", this program is \"", kModuleAbi, "\""));
  if (type != entry->type) return unusable(concat("is for another type: ", entry->type));
  return entry;
}

}  // namespace

std::vector<std::string> module_directories() {
  std::vector<std::string> directories;
  std::error_code failed;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (!failed) {
    for (const char* relative : {"../lib", POSTKIT_MODULES_FROM_PROGRAMS})
      directories.push_back((program.parent_path() / relative).lexically_normal().string());
  }
  directories.emplace_back(POSTKIT_MODULE_DIRECTORY);
  // An installed program finds the last two to be one.
  const auto last = directories.end() - 1;
  if (std::find(directories.begin(), last, *last) != last) directories.pop_back();
  return directories;
}

std::optional<std::string> find_module(std::string_view type) {
  for (const std::string& directory : module_directories()) {
    std::string file = concat(directory, "/", file_name(type));
    if (::access(file.c_str(), F_OK) == 0) return file;
  }
  return std::nullopt;
}

Result<std::unique_ptr<Table>> open_module_table(std::string_view type, std::string_view name,
                                                 const TableContext& context) {
  // The type becomes part of a file's name.
  if (type.empty() || !std::all_of(type.begin(), type.end(), libconf::is_name_char)) return unsupported(type);
  static std::mutex mutex;
  static std::map<std::string, const ModuleEntry*, std::less<>> loaded;
  const ModuleEntry* entry = nullptr;
  {
    const std::lock_guard lock(mutex);
    const auto found = loaded.find(type);
    if (found != loaded.end()) {
      entry = found->second;
    } else {
      const Result<const ModuleEntry*> fresh = load(type);
      if (!fresh) return fresh.error();
      entry = loaded.emplace(type, *fresh).first->second;
    }
  }
  return entry->open(name, context);
}

}  // namespace libmaps
