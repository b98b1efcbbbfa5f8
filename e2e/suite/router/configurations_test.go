package router

const birdConfiguration = `
log stderr all;
router id 192.0.2.2;
protocol device {}
protocol direct { ipv4; interface "nothing"; }
protocol static { ipv4; route 10.77.0.1/32 unreachable; }
protocol bfd { interface "r0" { min rx interval 50 ms; min tx interval 50 ms; }; }
protocol bgp 'the-left' {
  local 192.0.2.2 port 1790 as 64513;
  neighbor 192.0.2.1 as 64512;
  connect delay time 1; connect retry time 1; error wait time 1, 1;
  bfd yes;
  ipv4 {
    import all;
    export filter { bgp_community.add((64513,100)); bgp_large_community.add((64513,1,2)); bgp_med = 20; bgp_path.prepend(64513); accept; };
  };
  ipv6 { import all; export none; next hop address fd00::2; };
}
`

const frrConfiguration = `
router bgp 64512
 bgp router-id 192.0.2.1
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor 192.0.2.2 remote-as 64513
 neighbor 192.0.2.2 bfd
 neighbor 192.0.2.2 timers connect 1
 neighbor 192.0.2.3 remote-as 64514
 neighbor 192.0.2.3 port 1791
 neighbor 192.0.2.3 timers connect 1
 address-family ipv6 unicast
  network fd00:77::1/128
  neighbor 192.0.2.2 activate
  neighbor 192.0.2.2 route-map mark out
 exit-address-family
!
route-map mark permit 10
 set community 64512:7 64512:8
 set large-community 64512:1:2
 set metric 20
 set ipv6 next-hop global fd00::1
!
`

// A community of five bytes: the route is as good as withdrawn (RFC 7606 section 7.8).
const exabgpConfiguration = `
neighbor 192.0.2.1 {
  router-id 192.0.2.3;
  local-address 192.0.2.3;
  local-as 64514;
  peer-as 64512;
  passive;
  family { ipv4 unicast; }
  static { route 10.99.0.1/32 next-hop self attribute [ 0x08 0xc0 0x0102030405 ]; }
}
`
