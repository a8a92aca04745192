package proofs

import (
	"crypto/sha3"
	"encoding/binary"
)

// This file computes the public half of an ML-DSA-44 key from its 32-byte
// seed (FIPS 204, algorithm 6). Signing and verifying are the library's, but
// the library that this package may use does not give the public key of a
// seed. Every result is compared with the key ID that the library computes
// from its own (see ParseSigningKey), and in tests with whole keys.

const (
	mldsaPublicSize = 1312 // rho and four packed polynomials
	mldsaSeedSize   = 32
	mldsaQ          = 8380417
	mldsaRank       = 4 // rows and columns of the matrix: k = l = 4
)

// A mldsaPoly is a polynomial modulo X^256+1, coefficients modulo q.
type mldsaPoly [256]uint32

// mldsaPublic returns the public key of a seed. Apart from the rejections
// that FIPS 204 prescribes, its run time does not depend on the seed.
func mldsaPublic(seed [mldsaSeedSize]byte) []byte {
	expanded := sha3.SumSHAKE256(append(seed[:], mldsaRank, mldsaRank), 32+64)
	rho, sigma := expanded[:32], expanded[32:]
	var s1 [mldsaRank]mldsaPoly
	for i := range s1 {
		s1[i] = mldsaSmall(sigma, uint16(i))
		s1[i].transform()
	}
	public := append(make([]byte, 0, mldsaPublicSize), rho...)
	for row := range mldsaRank {
		var t mldsaPoly
		for column := range mldsaRank {
			t.addProduct(mldsaUniform(rho, column, row), s1[column])
		}
		t.invert()
		t.add(mldsaSmall(sigma, uint16(mldsaRank+row)))
		public = t.appendHigh(public)
	}
	return public
}

// mldsaUniform is RejNTTPoly (algorithm 30): a uniform polynomial, already
// transformed.
func mldsaUniform(rho []byte, column, row int) (p mldsaPoly) {
	h := sha3.NewSHAKE128()
	h.Write(rho)
	h.Write([]byte{byte(column), byte(row)})
	for i := 0; i < len(p); {
		var b [4]byte
		h.Read(b[:3])
		b[2] &= 0x7f
		if c := binary.LittleEndian.Uint32(b[:]); c < mldsaQ {
			p[i] = c
			i++
		}
	}
	return p
}

// mldsaSmall is RejBoundedPoly (algorithm 31): coefficients within -2..2.
func mldsaSmall(sigma []byte, nonce uint16) (p mldsaPoly) {
	h := sha3.NewSHAKE256()
	h.Write(sigma)
	h.Write(binary.LittleEndian.AppendUint16(nil, nonce))
	for i := 0; i < len(p); {
		var b [1]byte
		h.Read(b[:])
		for _, half := range [2]byte{b[0] & 15, b[0] >> 4} {
			if half < 15 && i < len(p) {
				p[i] = (mldsaQ + 2 - uint32(half)%5) % mldsaQ
				i++
			}
		}
	}
	return p
}

// mldsaZeta returns 1753 to the power of the eight reversed bits of i.
func mldsaZeta(i int) uint64 {
	zeta, power := uint64(1), uint64(1753)
	for bit := 7; bit >= 0; bit-- {
		if i>>bit&1 == 1 {
			zeta = zeta * power % mldsaQ
		}
		power = power * power % mldsaQ
	}
	return zeta
}

// transform is the number-theoretic transform (algorithm 41).
func (p *mldsaPoly) transform() {
	m := 0
	for length := 128; length >= 1; length /= 2 {
		for start := 0; start < 256; start += 2 * length {
			m++
			zeta := mldsaZeta(m)
			for j := start; j < start+length; j++ {
				t := uint32(zeta * uint64(p[j+length]) % mldsaQ)
				p[j+length] = (p[j] + mldsaQ - t) % mldsaQ
				p[j] = (p[j] + t) % mldsaQ
			}
		}
	}
}

// invert undoes transform (algorithm 42).
func (p *mldsaPoly) invert() {
	m := 256
	for length := 1; length < 256; length *= 2 {
		for start := 0; start < 256; start += 2 * length {
			m--
			zeta := mldsaQ - mldsaZeta(m)
			for j := start; j < start+length; j++ {
				t := p[j]
				p[j] = (t + p[j+length]) % mldsaQ
				p[j+length] = uint32(zeta * uint64(t+mldsaQ-p[j+length]) % mldsaQ)
			}
		}
	}
	const inverse256 = 8347681
	for i := range p {
		p[i] = uint32(uint64(p[i]) * inverse256 % mldsaQ)
	}
}

func (p *mldsaPoly) add(a mldsaPoly) {
	for i := range p {
		p[i] = (p[i] + a[i]) % mldsaQ
	}
}

// addProduct adds the product of two transformed polynomials.
func (p *mldsaPoly) addProduct(a, b mldsaPoly) {
	for i := range p {
		p[i] = uint32((uint64(p[i]) + uint64(a[i])*uint64(b[i])) % mldsaQ)
	}
}

// appendHigh appends the high ten bits of every coefficient (Power2Round and
// SimpleBitPack, algorithms 35 and 16).
func (p *mldsaPoly) appendHigh(dst []byte) []byte {
	for i := 0; i < len(p); i += 4 {
		var group uint64
		for j := range 4 {
			high := (p[i+j] + 1<<12 - 1) >> 13
			group |= uint64(high) << (10 * j)
		}
		dst = append(dst, byte(group), byte(group>>8), byte(group>>16), byte(group>>24), byte(group>>32))
	}
	return dst
}
