"""Which optional libraries this machine has: @NAME//:installed.bzl has a list INSTALLED.

Packages that need such a library define targets for it where it is in the list, so that //... builds without it.
"""

def _installed_impl(repository_ctx):
    # Asking for its path makes Bazel look again when the file changes, as it does when a library is installed.
    repository_ctx.path(repository_ctx.attr.watch)
    names = [
        name
        for name, header in repository_ctx.attr.headers.items()
        if repository_ctx.path(header).exists
    ]
    repository_ctx.file("BUILD", "")
    repository_ctx.file("installed.bzl", "INSTALLED = %s\n" % repr(names))

installed = repository_rule(
    implementation = _installed_impl,
    attrs = {
        "headers": attr.string_dict(doc = "name of a library -> a header that comes with it"),
        "watch": attr.label(doc = "a file that changes when a library comes or goes"),
    },
    local = True,
)
