"""Rules of this repository: each one states what kind of thing a target is."""

load("//bazel:copts.bzl", "COPTS")
load("//bazel:isa.bzl", "ISA_COPTS")

def mlp_cc_library(name, copts = [], **kwargs):
    native.cc_library(name = name, copts = COPTS + copts, **kwargs)

def mlp_cc_binary(name, copts = [], **kwargs):
    native.cc_binary(name = name, copts = COPTS + copts, **kwargs)

def mlp_cc_test(name, deps = [], copts = [], size = "small", **kwargs):
    native.cc_test(
        name = name,
        size = size,
        copts = COPTS + copts,
        deps = deps + ["@googletest//:gtest_main"],
        **kwargs
    )

def mlp_benchmark(name, srcs, deps = [], **kwargs):
    """A Google Benchmark binary, and a test that runs every benchmark in it once so that it cannot rot.

    Args:
      name: ends in _benchmark.
      srcs: its sources, without a main.
      deps: what it measures.
      **kwargs: passed on to the binary.
    """
    native.cc_library(
        name = name + "_lib",
        testonly = True,
        srcs = srcs,
        copts = COPTS,
        visibility = ["//visibility:private"],
        deps = deps + ["@benchmark"],
        alwayslink = True,
    )
    native.cc_binary(
        name = name,
        testonly = True,
        deps = [name + "_lib", "//benchmarks:main"],
        **kwargs
    )
    native.cc_test(
        name = name + "_smoke_test",
        size = "small",
        args = ["--benchmark_min_time=0"],
        tags = ["no_sanitizer"],
        deps = [name + "_lib", "//benchmarks:main"],
    )

def kernel_sources():
    """What the folder's kernels are made of, for the key of measurements that are kept (mlp/tune)."""
    native.filegroup(
        name = "kernel_sources",
        srcs = native.glob(
            ["*.cc", "*.h", "*.inc"],
            exclude = ["*_test.cc", "*_benchmark.cc"],
        ),
        visibility = ["//mlp/tune:__pkg__"],
    )

def mlp_kernel_family(
        name,
        hdrs = [],
        private_hdrs = [],
        textual_hdrs = [],
        deps = [],
        backends = ["loops", "eigen", "simd"],
        extensions = {},
        isas = ISA_COPTS.keys(),
        extension_sources = {},
        **kwargs):
    """A folder of kernels, built once for each backend and instruction set and chosen among at run time.

    The folder holds NAME.h (what callers include), NAME.cc (the choice, and the split over workers), kernels.h (what
    a backend provides), and one source for each backend, which is compiled once per instruction set with that set's
    flags and -DMLP_TARGET_ISA=<its enumerator>. loops.cc is compiled once more, with vectorisation off, as the
    backend `scalar`.

    Args:
      name: the folder's name.
      hdrs: public headers beside NAME.h.
      private_hdrs: headers for the sources of this folder.
      textual_hdrs: lists (.inc) that headers include.
      deps: what the kernels need beside the context and their backend's tools.
      backends: the sources BACKEND.cc that the folder has.
      extensions: flags of an extension of an instruction set, by name: simd.cc is compiled once more with each.
      isas: the instruction sets that they are compiled for.
      extension_sources: likewise, but each has a source of its own, of the same name.
      **kwargs: passed on to the library (visibility).
    """
    context = ["//mlp/base:check", "//mlp/base:isa", "//mlp/base:team", "//mlp/kernels:context"]
    kernel_sources()
    mlp_cc_library(
        name = name + "_api",
        hdrs = [name + ".h", "kernels.h"] + hdrs + private_hdrs,
        textual_hdrs = textual_hdrs,
        visibility = ["//mlp/kernels:__subpackages__"],
        deps = deps + context,
    )
    tools = {
        "eigen": ["//mlp/kernels:eigen"],
        "loops": ["//mlp/kernels:loops"],
        "simd": ["//mlp/base:simd", "//mlp/kernels:simd"],
    }
    variants = []
    for backend in backends:
        for isa in isas:
            isa_copts = ISA_COPTS[isa]
            enumerator = "k" + isa.capitalize()
            variant_copts = isa_copts + ["-O3", "-DMLP_TARGET_ISA=" + enumerator]
            if backend == "eigen":
                variant_copts = variant_copts + ["-DEigen=Eigen_" + enumerator]
            if backend == "loops":
                # What a user of the compiler would allow it: fused products, and the sums marked in loops.h. Wide
                # vectors as arguments, of which GCC has a note, stay within one file.
                variant_copts = variant_copts + ["-fopenmp-simd", "-ffp-contract=fast", "-Wno-psabi"]
            variants.append((backend + "_" + isa, backend, variant_copts))
    if "loops" in backends:
        # An honest scalar baseline: the compiler may schedule and unroll, not vectorise.
        variants.append(("scalar", "loops", [
            "-O3",
            "-fno-tree-vectorize",
            "-fno-tree-slp-vectorize",
            "-Wno-psabi",
            "-DMLP_TARGET_IS_SCALAR",
        ]))
    for extension, extension_copts in extensions.items():
        variants.append((extension, "simd", extension_copts + ["-O3"]))
    for extension, extension_copts in extension_sources.items():
        variants.append((extension, extension, extension_copts + ["-O3"]))
    objects = []
    for suffix, backend, variant_copts in variants:
        objects.append(name + "_" + suffix)
        mlp_cc_library(
            name = objects[-1],
            srcs = [backend + ".cc"],
            copts = variant_copts,
            linkstatic = True,
            visibility = ["//visibility:private"],
            deps = deps + context + tools.get(backend, tools["simd"]) + [name + "_api"],
        )
    mlp_cc_library(
        name = name,
        srcs = [name + ".cc"],
        hdrs = [name + ".h"] + hdrs,
        textual_hdrs = textual_hdrs,
        deps = deps + context + objects + [name + "_api"],
        **kwargs
    )
    # As data a library brings what it needs at run time; a filegroup of it brings its archive.
    native.filegroup(
        name = name + "_objects",
        testonly = True,
        srcs = objects,
        visibility = ["//visibility:private"],
    )
    native.sh_test(
        name = name + "_isa_symbols_test",
        size = "small",
        srcs = ["//tools:check_isa_symbols.sh"],
        args = ["$(locations :%s_objects)" % name],
        data = [name + "_objects"],
        # Unoptimised builds keep inline functions of the standard library as weak symbols.
        tags = ["no_sanitizer"],
    )

def mlp_experiment(name, deps, **kwargs):
    """An experiment NAME.cc, and a test that runs it for a moment and checks the record it writes.

    Args:
      name: of the binary, its source and its records.
      deps: what it uses.
      **kwargs: passed on to the binary.
    """
    mlp_cc_binary(
        name = name,
        srcs = [name + ".cc"],
        # Structs of options name what they set and leave the rest at its default.
        copts = ["-Wno-missing-field-initializers"],
        deps = deps,
        **kwargs
    )
    mlp_cc_test(
        name = name + "_smoke_test",
        data = [name],
        env = {"EXPERIMENT": "$(rootpath :%s)" % name},
        deps = ["//experiments/harness:smoke_test_main"],
    )
