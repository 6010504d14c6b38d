#!/bin/sh
# Runs every suite whole and keeps what a reader wants of each: summary.json, report.html, and the rows where they are small.
# Killed, it goes on where it was when it is called again; a suite that was run with other weights says which folder to delete.
#   regenerate.sh [DEFUSE] [RUNS] [RESULTS]    the command, where runs lie, where results are kept
defuse=${1:-defuse} runs=${2:-runs/results} results=${3:-eval/results}
suites="evaluator agreement customer attacks canned-empathy trainees recorded"
most=300000 # bytes of compressed rows
calls=simulator/training/data
fails=

for suite in $suites; do
    set --
    if [ "$suite" = recorded ]; then # the project's own sixty calls, with their authors' scores
        set -- --data $calls/transcripts/test.jsonl --personas $calls/personas --column score=overall
    fi
    rm -f "$runs/$suite/summary.json" # written anew at the end of a run, so it says whether this one came to its end
    "$defuse" eval run "$suite" "$@" --out "$runs/$suite" || fails="$fails $suite"
    if [ ! -f "$runs/$suite/summary.json" ]; then
        echo "$suite did not come to its end; nothing of it was changed in $results" >&2
        exit 1
    fi
    mkdir -p "$results/$suite"
    rm -f "$results/$suite/results.jsonl.gz"
    cp "$runs/$suite/summary.json" "$runs/$suite/report.html" "$results/$suite/"
    gzip -9nc "$runs/$suite/results.jsonl" > "$runs/$suite/results.jsonl.gz"
    if [ "$(wc -c < "$runs/$suite/results.jsonl.gz")" -lt $most ]; then
        cp "$runs/$suite/results.jsonl.gz" "$results/$suite/"
    fi
done

if [ -n "$fails" ]; then
    echo "Something that must hold does not in:$fails" >&2
    exit 1
fi
