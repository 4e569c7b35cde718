/// The registry of lookup table types: what `type:name` may be in this build (DATABASE_README), and what each
/// type can do. Facts only; libmaps/open.h has the code that acts on them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace libmaps {

/// What a key is matched with.
enum class KeyKind : std::uint8_t {
  kFixed,    ///< Fixed strings: keys are folded to lower case unless the user says otherwise.
  kPattern,  ///< Patterns, which say themselves what case means.
};

/// How single entries can be changed (postmap -i, -d), and what Postfix says where they cannot.
enum class Changes : std::uint8_t {
  kInPlace,   ///< They can.
  kBulkOnly,  ///< The index is only ever built as a whole: "unsupported non-bulk change request".
  kReadOnly,  ///< "TYPE:NAME map requires O_RDONLY access mode".
  kNoDelete,  ///< "table TYPE:NAME: delete operation is not supported".
};

/// How processes lock an index file. Postfix and Postkit agree on it.
enum class LockStyle : std::uint8_t {
  kNone,   ///< Not at all: it is never changed in place.
  kFlock,  ///< flock(2)
  kFcntl,  ///< fcntl(2), the whole file
};

/// What the warning of a duplicate entry calls the table.
enum class DuplicateLabel : std::uint8_t { kIndexFile, kSource, kTypeAndSource };

/// One type.
struct TableType {
  std::string_view name;
  KeyKind keys = KeyKind::kFixed;
  std::string_view suffix = {};  ///< Of its index file, made by building; empty: the type has none.
  bool reads_file = false;       ///< Its name is that of a text file, or rules in braces.
  bool is_buildable = false;     ///< From a source (postmap without options).
  bool is_iterable = false;
  Changes changes = Changes::kReadOnly;
  bool null_terminated = false;  ///< Whether its index holds C strings unless told otherwise (-N, -n).
  LockStyle lock = LockStyle::kNone;
  bool asks_server = false;  ///< A lookup may wait for another process, on this host or over the network.
  DuplicateLabel duplicate_label = DuplicateLabel::kIndexFile;

  bool has_index() const { return !suffix.empty(); }
};

/// All types, sorted by name. Constant; thread-safe, as the functions below.
std::span<const TableType> table_types();

/// The type of that name, or null. Case counts.
const TableType* find_table_type(std::string_view name);

}  // namespace libmaps
