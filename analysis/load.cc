#include "analysis/load.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mlp/record/keys.h"

namespace mlp::analysis {
namespace {

namespace fs = std::filesystem;

void AddJsonFiles(const fs::path& directory, std::vector<std::string>* files) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    std::error_code ignored;
    if (entry.path().extension() == ".json" && entry.is_regular_file(ignored)) {
      files->push_back(entry.path().string());
    }
  }
}

void AddBelow(const fs::path& directory, std::vector<std::string>* files) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    std::error_code ignored;
    if (entry.is_directory(ignored)) AddJsonFiles(entry.path(), files);
  }
}

}  // namespace

std::vector<std::string> RecordFiles(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return {path};
  std::vector<std::string> files;
  AddJsonFiles(path, &files);
  AddBelow(fs::path(path) / "raw", &files);
  // "raw" and "raw/" alike.
  if (fs::path(path + "/").parent_path().filename() == "raw") AddBelow(path, &files);
  std::sort(files.begin(), files.end());
  return files;
}

Loaded LoadRecords(const std::vector<std::string>& paths) {
  Loaded loaded;
  for (const std::string& path : paths) {
    const std::vector<std::string> files = RecordFiles(path);
    if (files.empty()) {
      loaded.errors.push_back(
          absl::NotFoundError(absl::StrCat(path,
                                           ": expected records in it or in raw/<experiment>/ below "
                                           "it, found none; name a directory with records")));
    }
    for (const std::string& file : files) {
      auto record = record::ReadRecord(file);
      if (record.ok()) {
        loaded.records.push_back({.path = file, .record = *std::move(record)});
      } else {
        loaded.errors.push_back(std::move(record).status());
      }
    }
  }
  return loaded;
}

std::string SetupName(const record::Record& record) {
  const std::string dataset = record.ConfigText(record::keys::kDataset);
  return dataset.empty() ? record.machine.id : absl::StrCat(dataset, " on ", record.machine.id);
}

std::vector<Series> NewestFirst(std::vector<LoadedRecord> records) {
  std::sort(records.begin(), records.end(), [](const LoadedRecord& a, const LoadedRecord& b) {
    return record::IsOlder(b.record.id, a.record.id);
  });
  std::map<std::tuple<std::string, std::string, std::string>, Series> all;
  for (LoadedRecord& loaded : records) {
    const record::Record& record = loaded.record;
    const auto [series, is_new] = all.try_emplace(
        {record.experiment, record.ConfigText(record::keys::kDataset), record.machine.id});
    if (is_new) {
      series->second.newest = std::move(loaded);
    } else {
      series->second.older.push_back(std::move(loaded));
    }
  }
  std::vector<Series> result;
  for (auto& [key, series] : all) result.push_back(std::move(series));
  return result;
}

}  // namespace mlp::analysis
