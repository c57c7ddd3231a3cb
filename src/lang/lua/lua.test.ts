import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Json, JsonObject } from '../../lib/json.ts'
import { compileLua } from './lua.ts'

/** What a program returns, or what refused it. */
function returned(source: string, globals: JsonObject = {}): unknown {
  const program = compileLua(source, 's')
  const made = program.ok ? program.value.runAll({ globals, nowMs: 1e12 }) : program
  return made.ok ? made.value : made.error[0]?.message
}

// Each was compared with Lua 5.1 when it was written; numbers are written as gopher-lua does.
test.each([
  ['return 1+2*3, 2^10, 7%3, -7%3, 7/2, 10/2', '[7,1024,1,2,3.5,5]'],
  ['return "a".."b"..1, 1 ..2', '["ab1","12"]'],
  ['return #"héllo", #{1,2,3}', '[6,3]'],
  ['return 1==1.0, "1"==1, nil==false', '[true,false,false]'],
  ['return not nil, not 0, nil and 1, nil or 2, false or nil', '[true,false,null,2,null]'],
  ['local t={10,20,x=5,[30]=1} return t[1],t.x,t[30],#t', '[10,5,1,2]'],
  ['local s=0 for i=1,10 do s=s+i end return s', '[55]'],
  ['local s="" for i=10,1,-3 do s=s..i.."," end return s', '["10,7,4,1,"]'],
  ['local s="" for k,v in ipairs({"a","b",nil,"d"}) do s=s..k..v end return s', '["1a2b"]'],
  ['local n=0 for k,v in pairs({a=1,b=2,3}) do n=n+v end return n', '[6]'],
  ['local function f(...) return select("#",...), ... end return f(1,nil,3)', '[3,1,null,3]'],
  ['local function f(...) local a,b=... return b,a end return f(1,2,3)', '[2,1]'],
  ['return (function() return 1,2,3 end)()', '[1,2,3]'],
  ['return ((function() return 1,2,3 end)())', '[1]'],
  ['local t={(function() return 1,2 end)(), (function() return 1,2 end)()} return #t', '[3]'],
  ['local a={} for i=1,3 do a[i]=function() i=i+1 return i end end return a[1](),a[1](),a[2]()', '[2,3,3]'],
  ['local function fib(n) if n<2 then return n end return fib(n-1)+fib(n-2) end return fib(15)', '[610]'],
  ['return pcall(error,"x"), pcall(error,{1})', '[false,false,[1]]'],
  ['return pcall(function() error("boom") end)', '[false,"s:1: boom"]'],
  ['return pcall(function() error("boom",0) end)', '[false,"boom"]'],
  ['return pcall(function() local x=nil; return x.y end)==false', '[true]'],
  [
    'return string.format("%5d|%-5d|%05d|%+d|%x|%X|%o|%c|%e|%g|%g|%.2f|%s|%q|%5s|%-5s|%%",42,42,42,42,255,255,8,65,12345.678,0.1,1e20,3.14159,"hi","a\\"b\\n","ab","ab")',
    '["   42|42   |00042|+42|ff|FF|10|A|1.234568e+04|0.1|1e+20|3.14|hi|\\"a\\\\\\"b\\\\\\n\\"|   ab|ab   |%"]',
  ],
  [
    'return string.find("hello world","o w"), string.find("hello","l+"), string.find("a.b",".",1,true), string.find("abc","b",-1)',
    '[5,3,2,null]',
  ],
  [
    'return string.match("key = value","(%w+)%s*=%s*(%w+)"), string.match("2024-01-02","(%d+)-(%d+)-(%d+)")',
    '["key","2024","01","02"]',
  ],
  [
    'return string.gsub("hello world","o","0"), string.gsub("abc","%w","%0%0"), string.gsub("hello","(l)(l)","%2%1"), string.gsub("abc","","-")',
    '["hell0 w0rld","aabbcc","hello","-a-b-c-",4]',
  ],
  ['return string.gsub("$name is $age","%$(%w+)",{name="Bob",age=5})', '["Bob is 5",2]'],
  [
    'return string.gsub("abc","b",function(x) return x:upper() end), string.gsub("abc def","%w+","x",1)',
    '["aBc","x def",1]',
  ],
  [
    'local r={} for w in string.gmatch("one two  three","%a+") do r[#r+1]=w end return table.concat(r,"|")',
    '["one|two|three"]',
  ],
  [
    'local r={} for k,v in string.gmatch("a=1, b=2","(%w+)=(%w+)") do r[#r+1]=k..v end return table.concat(r,"|")',
    '["a1|b2"]',
  ],
  [
    'return ("x"):rep(3), ("abc"):upper(), ("ABC"):lower(), ("abc"):reverse(), ("abc"):len(), ("abc"):byte(1,-1)',
    '["xxx","ABC","abc","cba",3,97,98,99]',
  ],
  [
    'return string.char(72,105), ("hello"):sub(2,3), ("hello"):sub(-3), ("hello"):sub(2), ("hello"):sub(-3,-2), ("hello"):sub(10)',
    '["Hi","el","llo","ello","ll",""]',
  ],
  [
    'return string.find("THE (quick) fox","%((%a+)%)"), string.match("  trim  ","^%s*(.-)%s*$"), string.match("f(a(b)c)d","%b()"), string.find("THE fox","%f[%a]%a+",4)',
    '[5,"trim","(a(b)c)",5,7]',
  ],
  [
    'return tostring(nil),tostring(true),tostring(12),tostring(1.5),tostring(1e15),tostring(1e100),tostring(-0.1),tostring(123456789012345)',
    '["nil","true","12","1.5","1000000000000000","1e+100","-0.1","123456789012345"]',
  ],
  [
    'return tonumber("10"),tonumber("0x1F"),tonumber(" 5 "),tonumber("1e2"),tonumber("abc"),tonumber("ff",16),tonumber("8",8),tonumber("")',
    '[10,31,5,100,null,255,null,null]',
  ],
  [
    'return type(nil),type(1),type("a"),type({}),type(print),type(true)',
    '["nil","number","string","table","function","boolean"]',
  ],
  ['local t={5,2,8,1} table.sort(t) return table.concat(t,",")', '["1,2,5,8"]'],
  ['local t={5,2,8,1} table.sort(t,function(a,b) return a>b end) return table.concat(t,",")', '["8,5,2,1"]'],
  [
    'local t={1,2,3} table.insert(t,4) table.insert(t,1,0) local r=table.remove(t) local q=table.remove(t,1) return table.concat(t,","),r,q',
    '["1,2,3",4,0]',
  ],
  ['return unpack({1,2,3}), unpack({1,2,3},2), unpack({1,2,3},2,3)', '[1,2,2,3]'],
  [
    'local mt={__index=function(t,k) return k.."!" end,__call=function(self,a) return a*2 end,__add=function(a,b) return 99 end,__tostring=function() return "T" end,__eq=function() return true end,__lt=function() return true end,__concat=function() return "cat" end,__unm=function() return -1 end} local t=setmetatable({},mt) return t.foo,t(21),t+1,tostring(t),t..1,-t,t<t,setmetatable({},mt)==t',
    '["foo!",42,99,"T","cat",-1,true,true]',
  ],
  [
    'local log={} local t=setmetatable({},{__newindex=function(t,k,v) rawset(t,k,v*2) end}) t.a=1 t.a=5 return t.a',
    '[5]',
  ],
  [
    'local Account={} Account.__index=Account function Account.new(b) return setmetatable({balance=b},Account) end function Account:deposit(v) self.balance=self.balance+v end local a=Account.new(10) a:deposit(5) return a.balance',
    '[15]',
  ],
  ['local i=1 while true do i=i*2 if i>100 then break end end return i', '[128]'],
  ['local i=0 repeat local j=i i=i+1 until j>=5 return i', '[6]'],
  ['do local x=1 do local x=2 end return x end', '[1]'],
  ['local t={} t.x,t.y=1,2 local a,b=1 return t.x,t.y,a,b', '[1,2,1,null]'],
  ['local a,b=1,2 a,b=b,a return a,b', '[2,1]'],
  ['local i=1 local t={} i,t[i]=i+1,20 return i,t[1],t[2]', '[2,20,null]'],
  ['return next({}),next({5}),rawequal({}, {}),rawget({a=1},"a")', '[null,1,false,1]'],
  ['return select(2,"a","b","c"),select(-1,"a","b","c")', '["b","c"]'],
  ['return os.time({year=2020,month=1,day=1,hour=0})>0, type(os.time()), type(os.date())', '[true,"number","string"]'],
  ['return os.date("!%Y-%m-%dT%H:%M:%SZ",0), os.date("!*t",86400).day', '["1970-01-01T00:00:00Z",2]'],
  [
    'return [[long\nstring]], [==[a]]b]==], "esc\\65\\n\\t\\\\\\"", \'q\'',
    '["long\\nstring","a]]b","escA\\n\\t\\\\\\"","q"]',
  ],
  ['--[[ block\ncomment ]] return 1 -- end', '[1]'],
  ['return 0x10, .5, 3., 1e-2, 5e+1', '[16,0.5,3,0.01,50]'],
  ['return "10"+5, "3"*"4", 10 .."", -"2"', '[15,12,"10",-2]'],
  ['return 1<2, "a"<"b", "Z"<"a", 2>=2, "a"~="b"', '[true,true,true,true,true]'],
  [
    'return pcall(function() return 1<"2" end)==false, pcall(function() return {}<{} end)==false, pcall(function() return #nil end)==false',
    '[true,true,true]',
  ],
  ['return string.rep("ab",3), ("x"):rep(0), ("%d"):format(3.0)', '["ababab","","3"]'],
  ['local function f(n) if n==0 then return "done" end return f(n-1) end return f(100)', '["done"]'],
  ['return xpcall(function() error("e",0) end,function(m) return m.."!" end)', '[false,"e!"]'],
  ['return assert(1,2,3), pcall(assert,false,"msg"), pcall(assert,nil)', '[1,false,false,"assertion failed!"]'],
  [
    'return loadstring("return 1+1")(), loadstring("syntax error here")',
    '[2,null,"string:1: syntax error near \'error\'"]',
  ],
  ['_G.x=5 return x, _G._G==_G', '[5,true]'],
  ['local t={} for i=1,5 do t[i]=i end t[5]=nil t[3]=nil return #t>0', '[true]'],
  ['for i=3,1 do return "no" end return "yes"', '["yes"]'],
  ['return (2)^(3)^2, -2^2, not 1==2', '[512,-4,false]'],
  ['return tostring(1/0), tostring(-1/0), 2^53', '["+Inf","-Inf",9007199254740992]'],
  [
    'return string.format("%g %g %g %g",100000,1000000,1e-5,123.456), string.format("%10.3s|","abcdef")',
    '["100000 1e+06 1e-05 123.456","       abc|"]',
  ],
  [
    'return ("test123"):match("%a+"),("test123"):match("%d+"),("[x]"):match("%[(.-)%]"),("a-b"):gsub("%-","+"),("path/to/file"):match("([^/]+)$")',
    '["test","123","x","a+b","file"]',
  ],
  [
    'return ("x^y"):find("^",1,true),("aaa"):find("a-",2),("aaa"):match("a-$"),("  x"):find("^%s*"),("abc"):find("()b()")',
    '[2,2,"aaa",1,2,2,2,3]',
  ],
  ['return table.getn and 1 or 1, table.maxn({1,2,[10]=3})', '[1,10]'],
  ['local s=0 for _,v in next,{1,2,3} do s=s+v end return s', '[6]'],
  [
    'return ("%s=%s"):format("a",1), ("%5.1f"):format(3.14159), ("%03d"):format(7), ("%i"):format(3)',
    '["a=1","  3.1","007","3"]',
  ],
  ['return string.format("%s",setmetatable({},{__tostring=function() return "obj" end}))', '["obj"]'],
])('%s', (source, want) => {
  expect(JSON.stringify(returned(source))).toBe(want)
})

test.each([
  ['return x.y.z', "s:1: attempt to index a nil value with key 'y'"],
  ['return nobody()', 's:1: attempt to call a nil value'],
  ['return 1 + {}', 's:1: attempt to perform arithmetic on a table value'],
  ['return "a" .. {}', 's:1: attempt to concatenate a table value'],
  ['return 1 < "2"', 's:1: attempt to compare number with string'],
  ['return {} < {}', 's:1: attempt to compare two table values'],
  ['return #nil', 's:1: attempt to get length of a nil value'],
  ['\n\nerror("here")', 's:3: here'],
  ['error({})', 'an error that is not a string'],
  ['local t = {} t[nil] = 1', 's:1: table index is nil'],
  ['return ("x"):rep("y")', 's:1: bad argument #2 (number expected, got string)'],
  ['return string.find("a", "[a")', "s:1: malformed pattern (missing ']')"],
  ['return string.find("a", "%")', "s:1: malformed pattern (ends with '%')"],
  ['return os.execute("ls")', 's:1: attempt to call a nil value'],
  ['return io.open("/etc/passwd")', "s:1: attempt to index a nil value with key 'open'"],
  ['return require("socket")', 's:1: module socket not found'],
  ['return function() end', 'a function cannot be written as JSON'],
  ['local t = {} t.t = t return t', 'or holds itself'],
  ['return {1, nil, 3, x = 1}', 'mixed keys'],
  ['return 0 / 0', 'not finite'],
])('%s fails', (source, want) => {
  expect(returned(source)).toContain(want)
})

test.each([
  ['x = = 1', "near '='"],
  ['for', 'a name expected near the end'],
  ['if x then', "'end' expected near the end"],
  ['return "abc', 'unfinished string'],
  ['break', 'no loop to break'],
  ['f(', 'a name expected near the end'],
  ['return return', "near 'return'"],
  ['x', 'syntax error near the end'],
  ['goto nowhere', "no visible label 'nowhere' for goto"],
  ['::a:: local f = function() goto a end', "no visible label 'a' for goto"],
  ['local function f() return ... end', "cannot use '...'"],
])('%s is no program', (source, want) => {
  expect(returned(source)).toContain(want)
})

test.each([
  ['an endless loop', 'while true do end'],
  ['an endless repeat', 'repeat until false'],
  ['an endless jump', '::a:: goto a'],
  ['an endless count', 'for i = 1, math.huge do end'],
  ['endless recursion', 'local function f() return f() end return f()'],
  ['an endless loop behind pcall', 'while true do pcall(error, "x") end'],
  ['recursion behind pcall', 'local function f() return pcall(f) end return f()'],
  ['a doubling text', 'local s = "x" while true do s = s .. s end'],
  ['a repeated text', 'return ("x"):rep(1e9)'],
  ['a growing table', 'local t = {} while true do t[#t + 1] = 1 end'],
  ['a pattern that backtracks', 'return (("a"):rep(40)):find(("a*"):rep(20) .. "b")'],
  ['a metatable that asks itself', 'local t = setmetatable({}, {}) getmetatable(t).__index = t return t.x'],
  ['a comparison that never ends', 'table.sort({1, 2, 3}, function() while true do end end)'],
])('%s is stopped', (_, source) => {
  expect(returned(source)).toMatch(/was stopped|loop in gettable|pattern too complex/)
})

test.each([
  ['local s = 0 for i = 1, 5 do if i % 2 == 0 then goto continue end s = s + i ::continue:: end return s', '[9]'],
  ['local i = 0 ::again:: i = i + 1 if i < 4 then goto again end return i', '[4]'],
  ['for i = 1, 3 do for j = 1, 3 do if j == 2 then goto out end end end ::out:: return "out"', '["out"]'],
  ['local i = 0 repeat i = i + 1 if i == 2 then goto next end ::next:: until i > 3 return i', '[4]'],
  ['local i = 0 while i < 3 do i = i + 1 do if i == 1 then goto on end end ::on:: end return i', '[3]'],
])('%s, as gopher-lua has it', (source, want) => {
  expect(JSON.stringify(returned(source))).toBe(want)
})

test('a deep source is refused', () => {
  expect(returned(`return ${'('.repeat(10_000)}1${')'.repeat(10_000)}`)).toContain('nests deeper')
  expect(returned(`return ${'not '.repeat(10_000)}1`)).toContain('nests deeper')
  expect(returned(`return ${'1 .. '.repeat(10_000)}1`)).toContain('nests deeper')
})

test('a deep value is refused', () => {
  const deep = JSON.parse(`${'['.repeat(2_000)}${']'.repeat(2_000)}`) as Json
  expect(returned('return obj', { obj: deep })).toContain('nests deeper')
})

test('a health check as people write them', () => {
  const program = compileLua(`
    local hs = {}
    if obj.status ~= nil and obj.status.conditions ~= nil then
      for i, condition in ipairs(obj.status.conditions) do
        if condition.type == "Ready" and condition.status == "False" then
          hs.status = "Degraded"
          hs.message = condition.message
          return hs
        end
        if condition.type == "Ready" and condition.status == "True" then
          hs.status = "Healthy"
          hs.message = condition.message .. " (" .. i .. "/" .. #obj.status.conditions .. ")"
          return hs
        end
      end
    end
    hs.status = "Progressing"
    hs.message = "Waiting"
    return hs`)
  if (!program.ok) throw new Error('this is a program')
  const ready = { type: 'Ready', status: 'True', message: 'ist bereit: äöü' }
  const run = (obj: Json): unknown => program.value.run({ globals: { obj } })
  expect(run({ status: { conditions: [ready] } })).toEqual({
    ok: true,
    value: { status: 'Healthy', message: 'ist bereit: äöü (1/1)' },
  })
  expect(run({})).toEqual({ ok: true, value: { status: 'Progressing', message: 'Waiting' } })
})

test('runs do not see one another, and leave what they are given alone', () => {
  const program = compileLua('seen = (seen or 0) + 1; string.x = 1; obj.a.b = 2; return seen')
  if (!program.ok) throw new Error('this is a program')
  const obj = { a: { b: 1 } }
  expect(program.value.run({ globals: { obj } })).toEqual({ ok: true, value: 1 })
  expect(program.value.run({ globals: { obj } })).toEqual({ ok: true, value: 1 })
  expect(obj).toEqual({ a: { b: 1 } })
})

test('keys that name prototypes are data', () => {
  const obj = JSON.parse('{"__proto__":{"x":1},"constructor":2}') as Json
  expect(returned('return obj.__proto__.x, obj.constructor, obj.toString, obj', { obj })).toEqual([1, 2, null, obj])
})

// Lua has no null: what is null is not there.
const plain = fc
  .letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string({ unit: 'grapheme' }),
      fc.boolean(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }),
    ),
  }))
  .value.map((value) => value as Json)

test('law: a value goes through Lua unchanged', () => {
  fc.assert(
    fc.property(plain, (obj) => {
      expect(JSON.stringify(returned('return obj', { obj }))).toBe(JSON.stringify([obj]))
    }),
  )
})
