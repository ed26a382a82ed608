#!/usr/bin/env python3
"""usage: count_tests.py EVENTS.json

Counts test cases in the results of one `bazel test --build_event_json_file=EVENTS.json` and prints one line,
`N passed, N failed`. A target that did not build, timed out or left no report counts as one failure. Exit code 1 on
any failure, or if no test ran.
"""

import json
import sys
import urllib.parse
import xml.etree.ElementTree


def count_cases(path):
    """(passed, failed) of one test.xml."""
    passed = failed = 0
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        if case.get("status") == "notrun" or case.find("skipped") is not None:
            continue
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        else:
            passed += 1
    return passed, failed


def main():
    passed = failed = 0
    with open(sys.argv[1], encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            if "testResult" in event:
                result = event["testResult"]
                reports = [o["uri"] for o in result.get("testActionOutput", []) if o["name"] == "test.xml"]
                cases = (0, 0)
                for uri in reports:
                    try:
                        more = count_cases(urllib.parse.unquote(urllib.parse.urlparse(uri).path))
                        cases = (cases[0] + more[0], cases[1] + more[1])
                    except (OSError, xml.etree.ElementTree.ParseError) as error:
                        print(f"count_tests: {uri}: {error}", file=sys.stderr)
                ok = result.get("status") in ("PASSED", "FLAKY")
                if ok and cases == (0, 0):
                    cases = (1, 0)
                if not ok and cases[1] == 0:
                    cases = (cases[0], 1)
                passed += cases[0]
                failed += cases[1]
            elif "testSummary" in event or "aborted" not in event:
                continue
            elif "targetCompleted" in event["id"] or "testSummary" in event["id"]:
                failed += 1
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
