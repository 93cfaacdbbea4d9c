# Arguments: the engine's mark and its scratch directory.
# Input: @DIRECTORY (the engine's control group), +LEADER (a process group to end), =LEADER PID:START...
# (processes of it that were seen), -LEADER (it has ended). The end of the input is the engine's end.
trap '' HUP INT TERM QUIT PIPE
exec 2>/dev/null
mark=$1 dir=$2 top= leaders=' '

while IFS= read -r line; do
  rest=${line#?}
  leader=${rest%% *}
  case $line in
    @*) top=$rest ;;
    +*) leaders="$leaders$leader " ;;
    =*) eval "seen_$leader=\${rest#\"\$leader\"}" ;;
    -*)
      case $leaders in
        *" $leader "*) leaders="${leaders%%" $leader "*} ${leaders#*" $leader "}" ;;
      esac
      unset "seen_$leader"
      ;;
  esac
done

# Kills and removes the control group. Where the kernel can't end it at once: freeze, kill, thaw.
end_control_group() {
  tries=0
  while [ -n "$top" ] && [ -d "$top" ] && [ "$tries" -lt 500 ]; do
    tries=$((tries + 1))
    if ! echo 1 > "$top/cgroup.kill"; then
      find "$top" -type d | while read -r group; do
        echo FROZEN > "$group/freezer.state" || echo 1 > "$group/cgroup.freeze"
        while read -r pid; do kill -9 "$pid"; done < "$group/cgroup.procs"
        echo THAWED > "$group/freezer.state" || echo 0 > "$group/cgroup.freeze"
      done
    fi
    find "$top" -depth -type d -exec rmdir '{}' ';'
    [ -d "$top" ] && { sleep 0.01 || sleep 1; }
  done
}

# Reads parent, group and start time of process $1. A program's name may hold blanks, parentheses and
# line ends, so fields are counted from behind the last parenthesis.
look() {
  stat=
  while read -r part; do stat="$stat$part "; done < "/proc/$1/stat"
  [ -n "$stat" ] || return 1
  set -- ${stat##*) }
  parent=$2 group=$3 start=${20}
}

# Stops what belongs to a leader or was seen with it, and all that descends from those, then kills them.
end_families() {
  family=' '
  for leader in $leaders; do
    look "$leader" && [ "$group" = "$leader" ] && family="$family$leader "
    eval "seen=\${seen_$leader-}"
    for pair in $seen; do
      pid=${pair%:*}
      look "$pid" && [ "$start" = "${pair#*:}" ] && family="$family$pid "
    done
  done
  for pid in $family; do kill -STOP "$pid"; done
  quiet=0 tries=0
  while [ "$quiet" -lt 2 ] && [ "$family" != ' ' ] && [ "$tries" -lt 50 ]; do
    quiet=$((quiet + 1)) tries=$((tries + 1))
    for place in /proc/[0-9]*; do
      pid=${place#/proc/}
      case $family in *" $pid "*) continue ;; esac
      look "$pid" || continue
      case $family in
        *" $parent "*)
          kill -STOP "$pid"
          family="$family$pid " quiet=0
          ;;
      esac
    done
  done
  for pid in $family; do kill -9 "$pid"; done
  # Some shells know the one spelling and some the other.
  for leader in $leaders; do kill -s KILL -- "-$leader" || kill -9 "-$leader"; done
}

# Kills whatever carries the mark, until two looks in a row find nothing.
end_marked() {
  clean=0 tries=0
  while [ "$clean" -lt 2 ] && [ "$tries" -lt 100 ]; do
    tries=$((tries + 1)) found=
    for file in $(grep -lsaF -e "ANYPORT_INSTANCE=$mark-" /proc/[0-9]*/environ); do
      pid=${file#/proc/} found=1
      kill -9 "${pid%/environ}"
    done
    if [ -n "$found" ]; then clean=0; else clean=$((clean + 1)); fi
    sleep 0.05 || sleep 1
  done
}

end_control_group
end_families
end_marked
end_control_group
[ -n "$dir" ] && rm -rf -- "$dir"
