// Early return for functions that return absl::Status or absl::StatusOr.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define MLP_RETURN_IF_ERROR(expression)                                        \
  do {                                                                         \
    if (absl::Status mlp_status = (expression); !mlp_status.ok()) [[unlikely]] \
      return mlp_status;                                                       \
  } while (false)

// MLP_ASSIGN_OR_RETURN(const Dataset data, LoadDataset(path));
#define MLP_ASSIGN_OR_RETURN(declaration, expression) \
  MLP_ASSIGN_OR_RETURN_(MLP_CONCAT_(mlp_result_, __LINE__), declaration, expression)

#define MLP_ASSIGN_OR_RETURN_(result, declaration, expression) \
  auto result = (expression);                                  \
  if (!result.ok()) [[unlikely]]                               \
    return std::move(result).status();                         \
  declaration = *std::move(result)

#define MLP_CONCAT_(a, b) MLP_CONCAT_INNER_(a, b)
#define MLP_CONCAT_INNER_(a, b) a##b
