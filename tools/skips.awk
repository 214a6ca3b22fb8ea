# Lines "where, a tab, why" of skipped tests → a line a reason: how many tests, why, and where.
BEGIN { FS = "\t" }
!($2 in count) { reasons[++n] = $2 }
{ count[$2]++ }
!(($2, $1) in seen) { seen[$2, $1] = 1; places[$2] = places[$2] (places[$2] == "" ? "" : ", ") $1 }
END { for (i = 1; i <= n; i++) printf "skipped %d: %s (%s)\n", count[reasons[i]], reasons[i], places[reasons[i]] }
