"""A peer in C++."""

load("//bazel:copts.bzl", "COPTS")

# What a user who wants speed gives the compiler; the flags that this project's own rounding rules need are not
# forced upon others.
_PEER_COPTS = [
    "-O3",
    "-march=native",
    "-ffp-contract=fast",
    "-fno-math-errno",
    "-fopenmp",
    # GCC 12 takes the undefined operand inside its own AVX-512 intrinsics for ours (GCC bug 105593).
    "-Wno-maybe-uninitialized",
    "-Wno-uninitialized",
]

def library_peer(name, library):
    """The program NAME from NAME.cc: the job in a library's idiom.

    Args:
      name: of the program.
      library: the target of its headers and link options.
    """
    native.cc_binary(
        name = name,
        srcs = [name + ".cc"],
        copts = COPTS + _PEER_COPTS,
        linkopts = ["-fopenmp"],
        deps = [
            ":loops",
            ":peer",
            library,
            "@absl//:strings",
        ],
    )

def peer_smoke_test(name, peers, size = "medium", struck_out = False, tags = ["manual"]):
    """Runs the comparison with these contenders on very little data and checks their rows.

    Args:
      name: of the test.
      peers: names of contenders, beside ours.
      size: of the test.
      struck_out: whether the peers' libraries do another job than ours, and have to be struck out.
      tags: manual for what is not this project's own.
    """
    native.cc_test(
        name = name,
        size = size,
        srcs = ["peer_smoke_test.cc"],
        copts = COPTS,
        data = [":compare"],
        env = {
            "MLP_TUNE": "off",
            "PEERS": ",".join(peers),
            "STRUCK_OUT": "1" if struck_out else "0",
        },
        tags = tags,
        deps = [
            "//mlp/io:subprocess",
            "//mlp/record",
            "//mlp/record:json",
            "@googletest//:gtest_main",
        ],
    )
