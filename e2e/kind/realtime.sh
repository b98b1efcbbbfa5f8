#!/bin/sh
# A hook of the container runtime, on a node: gives an announcer's control group, and those above
# it, a share of real time.
set -eu
state=$(cat)
case $state in *'"io.kubernetes.cri.container-name":"announcer"'*) ;; *) exit 0 ;; esac
pid=$(printf %s "$state" | sed -n 's/.*"pid":\([0-9]*\).*/\1/p')
path=$(sed -nE 's/^[0-9]+:(cpu|cpu,cpuacct|cpuacct,cpu):\///p' "/proc/$pid/cgroup")
at=/sys/fs/cgroup/cpu
IFS=/
for part in $path; do
  at=$at/$part
  echo 310000 >"$at/cpu.rt_runtime_us"
done || : # no reason not to start it
