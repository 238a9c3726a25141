# embed.cmake - writes the files of DIR as arrays of bytes into OUT, sorted by name.
file(GLOB files ${DIR}/*.lua)
list(SORT files)
set(arrays "")
set(rows "")
foreach(file IN LISTS files)
    get_filename_component(name ${file} NAME_WE)
    file(READ ${file} hex HEX)
    string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
    string(APPEND arrays "static const unsigned char lua_${name}[] = {\n${hex}0};\n\n")
    string(APPEND rows "    {\"${name}\", lua_${name}, sizeof lua_${name} - 1},\n")
endforeach()
file(WRITE ${OUT} "/* made by CMake from lua/lugano */
#include \"lua/glue.h\"

${arrays}const lgl_file lgl_files[] = {
${rows}    {0, 0, 0}
};
")
